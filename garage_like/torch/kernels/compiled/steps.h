/* What the library of gradient steps is asked for; `binding.py` lays the same structures out. */

#ifndef STEPS_H
#define STEPS_H
#include <stdint.h>

enum { STEPS_VERSION = 7 }; /* of these structures */

enum { MOST_LAYERS = 8 };

typedef struct {
    int32_t layers, is_tanh; /* else ReLU */
    int32_t widths[MOST_LAYERS + 1]; /* [0]: inputs */
} Shape;

typedef struct {
    double learning_rate, beta1, beta2, eps, decay;
    int32_t decoupled;
} Adam;

typedef struct {
    float *parameters, *gradient, *first, *second; /* all that an optimizer moves, and its slots */
    int64_t size, steps;                           /* numbers; steps taken before */
} Moved;

enum Head { CATEGORICAL, GAUSSIAN, VALUE };

/* All minibatches of all passes of one update of a policy by VPG's or PPO's loss, or of a value
   function: see kernels/policy_gradient.py for what is differentiated. */
typedef struct {
    Shape shape;
    Adam adam;
    Moved moved;
    int64_t network, log_std;  /* where they begin in the parameters; log_std -1: not learned */
    const float *fixed_log_std; /* (K,) where it is not learned */
    int32_t head;
    float lowest, highest;     /* limits of log_std */
    float clip_range;          /* below 0: none, VPG */
    float entropy_coefficient;
    int64_t rows;              /* S */
    int32_t passes, pieces;    /* a pass is cut into pieces as numpy.array_split cuts */
    const int64_t *order;      /* (passes, S) */
    const float *observations; /* (S, D) */
    const void *actions;       /* (S,) int64 for CATEGORICAL, (S, K) float for GAUSSIAN */
    const float *wanted;       /* (S,) advantages; returns for VALUE */
    const float *old_log_probs; /* (S,) */
} OnPolicy;

/* One gradient step of SAC's two Q-functions and then of its policy; see
   kernels/soft_actor_critic.py. Temperature and targets are moved by whoever calls. */
typedef struct {
    Shape policy_shape, critic_shape;
    Adam policy_adam, critic_adam;
    Moved policy, critics;
    int64_t policy_at, critic_at[2]; /* where they begin in the parameters */
    const float *targets[2];
    const float *centre, *scale;     /* (K,) of actions */
    float lowest, highest;           /* limits of log standard deviations */
    float constant;                  /* part of a log-density that no input changes */
    float discount, reward_scale, alpha;
    int32_t rows;                    /* B */
    const float *observations, *next_observations; /* (B, D) */
    const float *actions, *noise, *next_noise;     /* (B, K) */
    const float *rewards, *continues; /* (B,) continues: 0 where the episode terminated, else 1 */
    const float *weights;            /* (B,) of rows, or 0 */
    float *errors;                   /* (B,) out */
    float *means;                    /* out: log-density, least Q, loss of the critics, Q1, Q2, target */
} SoftStep;

/* One gradient step of DQN, by the smooth L1 loss; see kernels/q_learning.py. */
typedef struct {
    Shape shape;
    Adam adam;
    Moved moved;
    int64_t network;           /* where it begins in the parameters */
    const float *target;       /* weights, in a row */
    int32_t rows, double_q;    /* B; whether the trained network picks the next action */
    float discount, clip;      /* clip: of the gradient's norm, or below 0 */
    const float *observations, *next_observations; /* (B, D) */
    const int64_t *actions;    /* (B,) */
    const float *rewards, *continues; /* (B,) continues: 0 where the episode terminated, else 1 */
    const float *weights;      /* (B,) of rows, or 0 */
    float *errors;             /* (B,) out */
    float *means;              /* out: loss, value, target */
} QStep;

/* A perceptron on a batch, forwards or backwards; arrays are row-major, as NumPy's are. */
typedef struct {
    Shape shape;
    const float *weights;
    float *gradient;     /* backwards: of the weights, written; or 0 */
    int32_t rows;        /* B */
    const float *inputs; /* forwards: (B, D) */
    float *outputs;      /* forwards: (B, outputs) */
    const float *delta;  /* backwards: (B, outputs), gradient by the outputs */
    float *by_inputs;    /* backwards: (B, D), written; or 0 */
    float *room;         /* numbers_of_pass(...) numbers: what layers gave on the way forwards */
} Pass;

/* A perceptron that is only looked through: its layers may lie anywhere. */
typedef struct {
    Shape shape;
    const float *weights[MOST_LAYERS]; /* (outputs, inputs) */
    const float *biases[MOST_LAYERS];  /* (outputs,) */
} Look;

enum { NO_MEMORY = -2, FINE = -1 };

/* The quantile Huber loss of each row, and its gradient: TQC's equation 3. */
typedef struct {
    int32_t rows, quantiles, each, targets; /* B, C M, M, K */
    const float *values;                    /* (B, C M) quantiles, M of each Q-function */
    const float *wanted;                    /* (B, K) */
    float *losses;                          /* (B,) out */
    float *slopes;                          /* (B, C M) out */
} QuantileLoss;

#endif
