/* A gradient step of DQN. */

/* Value of the best of K actions, (K, rows), in one row; by another network's choice if given. */
static float best_value(const float *values, const float *choice, int kinds, long rows, int row) {
    const float *by = choice ? choice : values;
    int best = 0;
    for (int k = 1; k < kinds; k++)
        if (by[k * rows + row] > by[best * rows + row]) best = k;
    return values[best * rows + row];
}

static void cut(float *gradient, int64_t size, float limit) {
    float lanes[LANES] = {0}, sum = 0;
    for (int64_t i = 0; i < size; i++) lanes[i % LANES] += gradient[i] * gradient[i];
    for (int i = 0; i < LANES; i++) sum += lanes[i];
    float norm = __builtin_sqrtf(sum) + 1e-6f;
    if (!(norm > limit)) return;
    for (int64_t i = 0; i < size; i++) gradient[i] *= limit / norm;
}

/* 0; or with nothing changed 1 if there is no memory, 2 if there is no such action. */
static int q_step(const QStep *a) {
    const Shape *s = &a->shape;
    int rows = padded(a->rows), last = s->layers, kinds = s->widths[last];
    long of_net = room_of(s, rows), of_values = (long)kinds * rows;
    for (int j = 0; j < a->rows; j++)
        if (a->actions[j] < 0 || a->actions[j] >= kinds) return 2;
    float *memory = numbers(of_net + of_values + 3 * (long)rows);
    if (!memory) return 1;
    float *choice = memory + of_net, *wanted = choice + of_values, *losses = wanted + rows;
    float *taken = losses + rows, share = 1.0f / (float)a->rows;
    const float *weights = a->moved.parameters + a->network;
    Net net;
    lay_net(&net, s, rows, memory);
    gather(net.out[0], rows, a->next_observations, s->widths[0], 0, a->rows);
    if (a->double_q) {
        forward(&net, weights);
        memcpy(choice, net.out[last], of_values * 4);
    }
    forward(&net, a->target);
    for (int j = 0; j < a->rows; j++) {
        float next = best_value(net.out[last], a->double_q ? choice : 0, kinds, rows, j);
        wanted[j] = next * a->discount * a->continues[j] + a->rewards[j];
    }
    gather(net.out[0], rows, a->observations, s->widths[0], 0, a->rows);
    forward(&net, weights);
    float *delta = net.delta[last];
    memset(delta, 0, of_values * 4);
    for (int j = 0; j < a->rows; j++) {
        long at = a->actions[j] * rows + j;
        float weight = a->weights ? a->weights[j] : 1.0f, error = wanted[j] - net.out[last][at];
        /* Smooth L1: e^2 / 2 within 1 of the target, |e| - 1/2 beyond. */
        float slope = error < -1.0f ? -1.0f : error > 1.0f ? 1.0f : error;
        taken[j] = net.out[last][at], a->errors[j] = error;
        losses[j] = slope * (error - 0.5f * slope) * weight;
        delta[at] = -slope * share * weight;
    }
    memset(a->moved.gradient, 0, a->moved.size * 4);
    backward(&net, weights, a->moved.gradient + a->network, 0);
    if (a->clip >= 0) cut(a->moved.gradient, a->moved.size, a->clip);
    adam(&a->moved, &a->adam, a->moved.steps + 1);
    a->means[0] = mean_of(losses, a->rows, rows);
    a->means[1] = mean_of(taken, a->rows, rows);
    a->means[2] = mean_of(wanted, a->rows, rows);
    free(memory);
    return 0;
}
