/* A gradient step of SAC: both Q-functions, then the policy. */

typedef struct {
    float *log_probs, *squashed, *scaled_noise, *noise, *slopes; /* (rows,), (K, rows) thrice, (rows,) */
} Sampled;

/* Of a policy's outputs, (2 K, rows): actions, (K, rows), and log-densities, by given noise, (B, K). */
static void sample(const SoftStep *a, const float *outputs, const float *noise, int rows,
                   Sampled *s, float *actions) {
    int kinds = a->critic_shape.widths[0] - a->policy_shape.widths[0];
    gather(s->noise, rows, noise, kinds, 0, a->rows);
    for (int j = 0; j < rows; j += VL) {
        vec sum = all(-a->constant);
        for (int k = 0; k < kinds; k++) {
            long at = (long)k * rows + j;
            vec e = load(s->noise + at);
            vec log_std = clip(load(outputs + at + (long)kinds * rows), all(a->lowest), all(a->highest));
            vec spread = vexp(log_std) * e, u = load(outputs + at) + spread, t = vtanh(u);
            /* log(1 - tanh(u)^2) in a form that keeps its digits where tanh is nearly 1 */
            sum += 2.0f * (softplus(-2.0f * u) + u - 0.69314718f) - 0.5f * e * e - log_std;
            store(s->squashed + at, t), store(s->scaled_noise + at, spread);
            store(actions + at, all(a->centre[k]) + a->scale[k] * t);
        }
        store(s->log_probs + j, sum);
    }
}

static float mean_of(float *x, int count, int rows) {
    memset(x + count, 0, (rows - count) * 4);
    return total(x, rows) / count;
}

static void step_critics(const SoftStep *a, Net *policy, Net *critics, Sampled *s, float *wanted,
                         float *squares) {
    int rows = policy->rows, inputs = a->policy_shape.widths[0];
    int kinds = a->critic_shape.widths[0] - inputs, last = a->critic_shape.layers;
    long of_observations = (long)inputs * rows, of_all = (long)(inputs + kinds) * rows;
    gather(policy->out[0], rows, a->next_observations, inputs, 0, a->rows);
    forward(policy, a->policy.parameters + a->policy_at);
    memcpy(critics[0].out[0], policy->out[0], of_observations * 4);
    sample(a, policy->out[a->policy_shape.layers], a->next_noise, rows, s,
           critics[0].out[0] + of_observations);
    memcpy(critics[1].out[0], critics[0].out[0], of_all * 4);
    for (int i = 0; i < 2; i++) forward(&critics[i], a->targets[i]);
    for (int j = 0; j < a->rows; j++) {
        float first = critics[0].out[last][j], second = critics[1].out[last][j];
        float least = second < first ? second : first;
        least = (least - a->alpha * s->log_probs[j]) * a->discount * a->continues[j];
        wanted[j] = least + a->rewards[j] * a->reward_scale;
    }
    gather(critics[0].out[0], rows, a->observations, inputs, 0, a->rows);
    gather(critics[0].out[0] + of_observations, rows, a->actions, kinds, 0, a->rows);
    memcpy(critics[1].out[0], critics[0].out[0], of_all * 4);
    memset(a->critics.gradient, 0, a->critics.size * 4);
    memset(squares, 0, rows * 4);
    float share = 1.0f / (float)a->rows;
    for (int i = 0; i < 2; i++) {
        const float *weights = a->critics.parameters + a->critic_at[i];
        forward(&critics[i], weights);
        float *values = critics[i].out[last], *delta = critics[i].delta[last];
        memset(delta, 0, rows * 4);
        for (int j = 0; j < a->rows; j++) {
            float error = values[j] - wanted[j];
            squares[j] += error * error;
            delta[j] = error * share * (a->weights ? a->weights[j] : 1.0f);
        }
        a->means[3 + i] = mean_of(values, a->rows, rows);
        backward(&critics[i], weights, a->critics.gradient + a->critic_at[i], 0);
    }
    adam(&a->critics, &a->critic_adam, a->critics.steps + 1);
    for (int j = 0; j < a->rows; j++) {
        a->errors[j] = __builtin_sqrtf(squares[j] * 0.5f);
        squares[j] *= 0.5f * (a->weights ? a->weights[j] : 1.0f);
    }
    a->means[2] = mean_of(squares, a->rows, rows);
    a->means[5] = mean_of(wanted, a->rows, rows);
}

/* What is in critics[0].out[0] are the observations, still. */
static void step_policy(const SoftStep *a, Net *policy, Net *critics, Sampled *s, float *least) {
    int rows = policy->rows, inputs = a->policy_shape.widths[0];
    int kinds = a->critic_shape.widths[0] - inputs, last = a->critic_shape.layers;
    long of_observations = (long)inputs * rows;
    float *weights = a->policy.parameters + a->policy_at;
    memcpy(policy->out[0], critics[0].out[0], of_observations * 4);
    forward(policy, weights);
    float *outputs = policy->out[a->policy_shape.layers];
    float *delta = policy->delta[a->policy_shape.layers];
    sample(a, outputs, a->noise, rows, s, critics[0].out[0] + of_observations);
    memcpy(critics[1].out[0] + of_observations, critics[0].out[0] + of_observations,
           (long)kinds * rows * 4);
    for (int i = 0; i < 2; i++) forward(&critics[i], a->critics.parameters + a->critic_at[i]);
    for (int j = 0; j < rows; j++) {
        /* The gradient goes back through the lesser of the two alone. */
        float first = critics[0].out[last][j], second = critics[1].out[last][j];
        int is_first = first <= second, counts = j < a->rows;
        least[j] = is_first ? first : second;
        critics[0].delta[last][j] = is_first && counts;
        critics[1].delta[last][j] = !is_first && counts;
    }
    for (int i = 0; i < 2; i++) backward(&critics[i], a->critics.parameters + a->critic_at[i], 0, 1);
    float share = 1.0f / (float)a->rows, by_log_prob = a->alpha * share;
    for (int j = 0; j < rows; j++) s->slopes[j] = j < a->rows ? by_log_prob : 0;
    for (int k = 0; k < kinds; k++) {
        for (int j = 0; j < rows; j += VL) {
            long at = (long)k * rows + j, raw_at = at + (long)kinds * rows;
            vec slope = load(s->slopes + j), t = load(s->squashed + at), raw = load(outputs + raw_at);
            vec by_action = (load(critics[0].delta[0] + of_observations + at) +
                             load(critics[1].delta[0] + of_observations + at)) * share;
            vec by_u = t * 2.0f * slope - by_action * a->scale[k] * (1.0f - t * t);
            ivec inside = (raw >= a->lowest) & (raw <= a->highest);
            store(delta + at, by_u);
            store(delta + raw_at, pick(inside, by_u * load(s->scaled_noise + at) - slope, all(0)));
        }
    }
    memset(a->policy.gradient, 0, a->policy.size * 4);
    backward(policy, weights, a->policy.gradient + a->policy_at, 0);
    adam(&a->policy, &a->policy_adam, a->policy.steps + 1);
    a->means[0] = mean_of(s->log_probs, a->rows, rows);
    a->means[1] = mean_of(least, a->rows, rows);
}

/* 0, or 1 with nothing changed if there is no memory. */
static int soft_step(const SoftStep *a) {
    int rows = padded(a->rows);
    long of_actions = (long)(a->critic_shape.widths[0] - a->policy_shape.widths[0]) * rows;
    long of_policy = room_of(&a->policy_shape, rows), of_critic = room_of(&a->critic_shape, rows);
    float *memory = numbers(of_policy + 2 * of_critic + 3 * of_actions + 5 * (long)rows);
    if (!memory) return 1;
    Net policy, critics[2];
    lay_net(&policy, &a->policy_shape, rows, memory);
    for (int i = 0; i < 2; i++)
        lay_net(&critics[i], &a->critic_shape, rows, memory + of_policy + i * of_critic);
    float *at = memory + of_policy + 2 * of_critic;
    Sampled s = {at, at + rows, at + rows + of_actions, at + rows + 2 * of_actions,
                 at + rows + 3 * of_actions};
    float *wanted = s.slopes + rows, *squares = wanted + rows, *least = squares + rows;
    step_critics(a, &policy, critics, &s, wanted, squares);
    step_policy(a, &policy, critics, &s, least);
    free(memory);
    return 0;
}
