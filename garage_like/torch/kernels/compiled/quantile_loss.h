/* The quantile Huber loss: each quantile against each target, and nothing kept of the way. */

INLINE float total_of_lanes(const vec *sums) {
    float lanes[LANES];
    for (int h = 0; h < LANES / VL; h++) store(lanes + h * VL, sums[h]);
    return total(lanes, LANES);
}

/* 0, or 1 with nothing written if there is no memory. */
static int quantile_loss(const QuantileLoss *q) {
    int columns = padded(q->targets);
    float *wanted = numbers(2 * columns), *counts = wanted + columns; /* counts: 0 in padding */
    if (!wanted) return 1;
    float share = 1.0f / ((float)q->quantiles * (float)q->targets);
    for (int k = 0; k < columns; k++) wanted[k] = 0, counts[k] = k < q->targets;
    for (int b = 0; b < q->rows; b++) {
        memcpy(wanted, q->wanted + (long)b * q->targets, q->targets * 4);
        vec losses[LANES / VL];
        for (int h = 0; h < LANES / VL; h++) losses[h] = all(0);
        for (int m = 0; m < q->quantiles; m++) {
            vec value = all(q->values[(long)b * q->quantiles + m]), slopes[LANES / VL];
            vec tau = all(((float)(m % q->each) + 0.5f) / (float)q->each);
            for (int h = 0; h < LANES / VL; h++) slopes[h] = all(0);
            for (int k = 0; k < columns; k += LANES)
                for (int h = 0; h < LANES / VL; h++) {
                    vec d = load(wanted + k + h * VL) - value, c = clip(d, all(-1), all(1));
                    vec slope = c * pick(d < 0, 1.0f - tau, tau) * load(counts + k + h * VL);
                    slopes[h] += slope;
                    losses[h] = fma_(slope, d - 0.5f * c, losses[h]);
                }
            q->slopes[(long)b * q->quantiles + m] = total_of_lanes(slopes) * -share;
        }
        q->losses[b] = total_of_lanes(losses) * share;
    }
    free(wanted);
    return 0;
}
