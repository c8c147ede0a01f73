#include "core/backend/cpu/width/exponential.h"
#include "core/backend/cpu/width/loops.h"

namespace vitrine::backend::cpu::VITRINE_WIDTH {

namespace {

/// x · σ(z); tanh is a logistic function of twice the argument: ½ (1 + tanh u) = σ(2u).
template <typename S>
inline Vector<S> gated(Vector<S> x, Vector<S> z) {
    return x / (S{1} + exponential<S>(-z));
}

template <typename S>
struct Silu {
    static Vector<S> of(Vector<S> x) { return gated<S>(x, x); }
};

/// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))
template <typename S>
struct GeluTanh {
    static Vector<S> of(Vector<S> x) {
        constexpr S twice_root = static_cast<S>(1.5957691216057308);
        return gated<S>(x, twice_root * (x + static_cast<S>(0.044715) * (x * x * x)));
    }
};

/// ½ x (1 + erf(x / √2))
template <typename S>
struct Gelu {
    static Vector<S> of(Vector<S> x) {
        constexpr S inverse_root = static_cast<S>(0.70710678118654752440);
        Vector<S> y = x;
        for (int i = 0; i < VectorOf<S>::lanes; ++i)
            y[i] = S{0.5} * x[i] * static_cast<S>(__builtin_erfc(-static_cast<double>(x[i] * inverse_root)));
        return y;
    }
};

template <typename S>
struct Relu {
    static Vector<S> of(Vector<S> x) { return x < S{0} ? Vector<S>{} : x; }
};

template <typename S>
struct Identity {
    static Vector<S> of(Vector<S> x) { return x; }
};

template <typename S, typename Function>
void apply(const S* x, const S* factor, std::int64_t count, S* out) {
    for_each_vector<S>(count, [&](std::int64_t i, int lanes) {
        Vector<S> value = Function::of(load_some(x + i, lanes, S{0}));
        if (factor != nullptr) value *= load_some(factor + i, lanes, S{0});
        store_some(out + i, lanes, value);
    });
}

} // namespace

template <typename S>
void activate(model::Activation kind, const S* x, const S* factor, std::int64_t count, S* out) {
    switch (kind) {
    case model::Activation::gelu:
        return apply<S, Gelu<S>>(x, factor, count, out);
    case model::Activation::gelu_tanh:
        return apply<S, GeluTanh<S>>(x, factor, count, out);
    case model::Activation::silu:
        return apply<S, Silu<S>>(x, factor, count, out);
    case model::Activation::relu:
        return apply<S, Relu<S>>(x, factor, count, out);
    case model::Activation::identity:
        return apply<S, Identity<S>>(x, factor, count, out);
    }
}

template void activate(model::Activation, const float*, const float*, std::int64_t, float*);
template void activate(model::Activation, const double*, const double*, std::int64_t, double*);

} // namespace vitrine::backend::cpu::VITRINE_WIDTH
