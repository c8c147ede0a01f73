#include "core/model/model.h"

#include <cassert>

namespace vitrine::model {

std::string name_of(NormKind kind) { return kind == NormKind::layer ? "layer" : "rms"; }

std::string name_of(NormPlace place) {
    switch (place) {
    case NormPlace::before:
        return "before";
    case NormPlace::branch_output:
        return "branch_output";
    case NormPlace::sandwich:
        return "sandwich";
    case NormPlace::after_sum:
        return "after_sum";
    }
    return "?";
}

std::string name_of(QkNorm norm) {
    switch (norm) {
    case QkNorm::none:
        return "none";
    case QkNorm::head:
        return "head";
    case QkNorm::per_head:
        return "per_head";
    case QkNorm::whole:
        return "whole";
    }
    return "?";
}

std::string name_of(Activation activation) {
    switch (activation) {
    case Activation::gelu:
        return "gelu";
    case Activation::gelu_tanh:
        return "gelu_tanh";
    case Activation::silu:
        return "silu";
    case Activation::relu:
        return "relu";
    case Activation::identity:
        return "identity";
    }
    return "?";
}

std::string name_of(Positional positional) {
    switch (positional) {
    case Positional::learned:
        return "learned";
    case Positional::rotary:
        return "rotary";
    case Positional::alibi:
        return "alibi";
    case Positional::none:
        return "none";
    }
    return "?";
}

Tensor widened(const Weight& weight) {
    Tensor tensor({weight.rows, weight.cols});
    if (weight.rows_are_dense()) {
        for (std::int64_t r = 0; r < weight.rows; ++r)
            widen(weight.dtype, weight.at(r, 0),
                  std::span(tensor.data)
                      .subspan(static_cast<std::size_t>(r * weight.cols),
                               static_cast<std::size_t>(weight.cols)));
        return tensor;
    }
    // Stored the other way round: widen each column, which is dense as a rule, and spread it.
    std::vector<float> column(static_cast<std::size_t>(weight.rows));
    for (std::int64_t c = 0; c < weight.cols; ++c) {
        if (weight.row_stride == 1 || weight.rows == 1)
            widen(weight.dtype, weight.at(0, c), column);
        else
            for (std::int64_t r = 0; r < weight.rows; ++r)
                widen(weight.dtype, weight.at(r, c),
                      std::span(column).subspan(static_cast<std::size_t>(r), 1));
        for (std::int64_t r = 0; r < weight.rows; ++r)
            tensor.data[static_cast<std::size_t>(r * weight.cols + c)] = column[static_cast<std::size_t>(r)];
    }
    return tensor;
}

WeightId Model::add(Weight weight) {
    const auto id = static_cast<WeightId>(weights.size());
    [[maybe_unused]] const bool fresh = by_name_.emplace(weight.name, id).second;
    assert(fresh);
    weights.push_back(std::move(weight));
    return id;
}

WeightId Model::find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? no_weight : found->second;
}

} // namespace vitrine::model
