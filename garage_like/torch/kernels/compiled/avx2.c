/* The steps for processors with AVX2. */
#pragma GCC target("avx2,fma")
#include "vectors.h"
#include "steps.h"
#include "perceptron.h"
#include "look.h"
#include "on_policy.h"
#include "soft_step.h"
#include "q_step.h"
#include "quantile_loss.h"

int on_policy_avx2(const OnPolicy *update) { return on_policy(update); }

int soft_step_avx2(const SoftStep *step) { return soft_step(step); }

int q_step_avx2(const QStep *step) { return q_step(step); }

void forward_pass_avx2(const Pass *pass) { forward_pass(pass); }

void backward_pass_avx2(const Pass *pass) { backward_pass(pass); }

int64_t numbers_of_pass_avx2(const Pass *pass) { return room_of(&pass->shape, padded(pass->rows)); }

int quantile_loss_avx2(const QuantileLoss *loss) { return quantile_loss(loss); }

int64_t look_avx2(const Look *network, int64_t rows, const float *inputs, float *outputs,
                     const double *uniforms, int64_t *actions) {
    return look(network, rows, inputs, outputs, uniforms, actions);
}
