#pragma once

#include <variant>

#include "kernels/adagrad_rules.hpp"
#include "kernels/adam_rules.hpp"
#include "kernels/sgd_rules.hpp"

namespace minicnn {

// The optimizers' rules: how a weight w follows its gradient g. Each rule is a struct with
//
//   kUpdate, kDenseUpdate   the names of its kernels; the second is fused with a dense gradient
//   kSlots                  the number of arrays that it keeps, each as large as the weights
//   kRates                  the number of values that it is given for each step
//   from(arguments)         makes the rule of one call: from its slots, in the order of the
//                           kernel's contract, and its constants, by the names of the kernel's
//                           attributes
//   move(weights)           the formula: weights.each(next) sets w[i] = next(i, w, g)
//
// and an entry in OptimizerRule, the list at the end of this file. The rules are in the three files
// above; nothing else has to be changed for a new one. A rule rounds after every operation, in the
// order of the reference, minicnn/backends/numpy/optimizers.py: so the bits are the same.

using OptimizerRule =
    std::variant<Sgd, Adam, RmsProp, Adagrad, Adadelta, Adamax, Amsgrad, Ftrl, Lion, Nadam>;

}  // namespace minicnn
