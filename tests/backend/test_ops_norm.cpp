// Normalisation, activation and other functions of single elements, on every device.
#include <algorithm>
#include <cstring>
#include <limits>

#include "tests/backend/op_rig.h"

using namespace vitrine;
using namespace vitrine::test;
using model::Activation;
using model::NormKind;

namespace {

struct Normed {
    std::vector<double> scale, normalized, out;
};

Normed reference(const model::NormSpec& spec, const std::vector<float>& x, int width,
                 const std::vector<float>& w, const std::vector<float>& b) {
    Normed result;
    for (std::size_t row = 0; row < x.size() / width; ++row) {
        const float* in = x.data() + row * width;
        double mean = 0;
        for (int c = 0; c < width; ++c)
            mean += in[c] / static_cast<double>(width);
        if (spec.kind == NormKind::rms) mean = 0;
        double variance = 0;
        for (int c = 0; c < width; ++c)
            variance += (in[c] - mean) * (in[c] - mean) / width;
        result.scale.push_back(std::sqrt(variance + static_cast<double>(spec.eps)));
        for (int c = 0; c < width; ++c) {
            const double unit = (in[c] - mean) / result.scale.back();
            result.normalized.push_back(unit);
            result.out.push_back(unit * w[static_cast<std::size_t>(c)] +
                                 (b.empty() ? 0.0 : b[static_cast<std::size_t>(c)]));
        }
    }
    return result;
}

bool same_bits(const Tensor& a, const Tensor& b) {
    return a.data.size() == b.data.size() &&
           std::memcmp(a.data.data(), b.data.data(), a.data.size() * sizeof(float)) == 0;
}

double activation(Activation kind, double x) {
    switch (kind) {
    case Activation::gelu:
        return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh:
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case Activation::silu:
        return x / (1 + std::exp(-x));
    case Activation::identity:
        return x;
    case Activation::relu:
        return std::max(x, 0.0);
    }
    return 0;
}

} // namespace

class TestOpsNorm : public QObject {
    Q_OBJECT
private slots:
    void norms_whole_and_in_parts_data() { add_devices(); }
    void norms_whole_and_in_parts() {
        QFETCH(QString, device);
        for (const NormKind kind : {NormKind::layer, NormKind::rms}) {
            for (const int width : {2, 7, 33, 129, 768}) {
                // The mean is three deviations away from zero, and a channel is massive, as in real models.
                auto x = random_floats(static_cast<std::size_t>(9) * width, 1);
                for (float& value : x)
                    value = value * 2 + 6;
                if (width > 100) x[static_cast<std::size_t>(width) + 5] = 3000;
                const auto w = random_floats(static_cast<std::size_t>(width), 2);
                const auto b = random_floats(static_cast<std::size_t>(width), 3);
                const bool biased = kind == NormKind::layer;
                const model::NormSpec spec{kind, 1e-5F};

                OpRig rig({4, 5});
                const auto in = rig.input(1, width, x);
                const auto weight = rig.weight("w", 1, width, w);
                const auto bias = biased ? rig.weight("b", 1, width, b) : run::absent;
                const auto plain = rig.value(1, width), out = rig.value(1, width), unit = rig.value(1, width);
                const auto scale = rig.value(1, 1);
                const auto split_out = rig.value(1, width), split_unit = rig.value(1, width);
                const auto split_scale = rig.value(1, 1);
                rig.op(run::Norm{spec, weight, bias, in, plain});
                rig.op(run::Norm{spec, weight, bias, in, out, scale, unit});
                rig.op(run::NormScale{spec, in, split_scale});
                rig.op(run::NormApply{spec, in, split_scale, split_unit});
                rig.op(run::NormAffine{weight, bias, split_unit, split_out});
                for (const auto id : {plain, out, scale, unit, split_out, split_scale, split_unit})
                    rig.capture(id);
                const auto captures = rig.run(device).captures;
                const Normed want = reference(spec, x, width, w, biased ? b : std::vector<float>());
                QVERIFY(close(captures[0].data, want.out, "norm"));
                QVERIFY(close(captures[2].data, want.scale, "scale"));
                QVERIFY(close(captures[3].data, want.normalized, "normalized"));
                QVERIFY(same_bits(captures[0], captures[1]));
                QVERIFY(same_bits(captures[1], captures[4]));
                QVERIFY(same_bits(captures[2], captures[5]));
                QVERIFY(same_bits(captures[3], captures[6]));
            }
        }
    }

    void heads_may_have_weights_of_their_own_data() { add_devices(); }
    void heads_may_have_weights_of_their_own() {
        QFETCH(QString, device);
        for (const NormKind kind : {NormKind::layer, NormKind::rms}) {
            for (const int width : {1, 6, 33, 64}) {
                for (const int heads : {1, 3, 8}) {
                    OpRig rig({4, 3});
                    const auto size = static_cast<std::size_t>(heads * width);
                    auto x = random_floats(7 * size, 1);
                    for (float& value : x)
                        value = value * 2 + 1;
                    const auto shared_w = random_floats(static_cast<std::size_t>(width), 2);
                    const auto own_w = random_floats(size, 3);
                    const auto own_b = random_floats(size, 4);
                    const model::NormSpec spec{kind, 1e-3F};
                    // Padding of a wider value must not count: the values come out of an op of their own.
                    const auto in = rig.value(heads, width);
                    rig.op(run::Pointwise{run::PointwiseKind::scale, 1, rig.input(heads, width, x), in});
                    const auto own = rig.weight("own.w", 1, heads * width, own_w);
                    const auto bias = rig.weight("own.b", 1, heads * width, own_b);
                    const auto shared = rig.value(heads, width), per_head = rig.value(heads, width),
                               flat = rig.value(heads, width), bare = rig.value(heads, width);
                    rig.op(
                        run::Norm{spec, rig.weight("shared.w", 1, width, shared_w), run::absent, in, shared});
                    rig.op(run::Norm{spec, own, bias, in, per_head});
                    run::Norm whole{spec, own, bias, in, flat};
                    whole.flat = true;
                    rig.op(whole);
                    whole = {spec, run::absent, run::absent, in, bare};
                    whole.flat = true;
                    rig.op(whole);
                    for (const auto id : {shared, per_head, flat, bare})
                        rig.capture(id);
                    const auto captures = rig.run(device).captures;

                    const Normed each = reference(spec, x, width, shared_w, {});
                    const Normed all = reference(spec, x, heads * width, own_w, own_b);
                    std::vector<double> by_head;
                    for (std::size_t i = 0; i < x.size(); ++i)
                        by_head.push_back(each.normalized[i] * own_w[i % size] + own_b[i % size]);
                    QVERIFY(close(captures[0].data, each.out, "shared weight"));
                    QVERIFY(close(captures[1].data, by_head, "weight by head"));
                    QVERIFY(close(captures[2].data, all.out, "over all heads"));
                    QVERIFY(close(captures[3].data, all.normalized, "without weight"));
                }
            }
        }
    }

    void elements_are_scaled_held_and_capped_data() { add_devices(); }
    void elements_are_scaled_held_and_capped() {
        QFETCH(QString, device);
        for (const int width : {1, 7, 33, 129}) {
            for (const double spread : {1e-3, 1.0, 40.0}) {
                const auto x = random_floats(static_cast<std::size_t>(6 * width), 1, spread);
                OpRig rig({3});
                const auto in = rig.input(2, width, x);
                const auto scaled = rig.value(2, width), held = rig.value(2, width),
                           capped = rig.value(2, width);
                rig.op(run::Pointwise{run::PointwiseKind::scale, 0.22F, in, scaled});
                rig.op(run::Pointwise{run::PointwiseKind::clamp, 0.75F, in, held});
                rig.op(run::Pointwise{run::PointwiseKind::cap, 30, in, capped});
                for (const auto id : {scaled, held, capped})
                    rig.capture(id);
                const auto captures = rig.run(device).captures;
                for (std::size_t i = 0; i < x.size(); ++i) {
                    // Each by itself: large elements would hide the errors of small ones.
                    const double want = 30 * std::tanh(x[i] / 30.0);
                    const double rounding = 3e-7 * std::abs(want);
                    QVERIFY2(std::abs(captures[2].data[i] - want) <= rounding,
                             qPrintable(QString("cap of %1: %2").arg(x[i]).arg(captures[2].data[i])));
                    QCOMPARE(captures[0].data[i], x[i] * 0.22F);
                    QCOMPARE(captures[1].data[i], std::clamp(x[i], -0.75F, 0.75F));
                }
            }
        }
        OpRig rig({1});
        const float infinity = std::numeric_limits<float>::infinity();
        const auto out = rig.value(1, 6);
        rig.op(run::Pointwise{run::PointwiseKind::cap, 50,
                              rig.input(1, 6, {infinity, -infinity, 1e30F, -1e4F, 0, 1e-30F}), out});
        rig.capture(out);
        const auto capped = rig.run(device).captures[0].data;
        const std::vector<float> want = {50, -50, 50, -50, 0, 1e-30F};
        for (std::size_t i = 0; i < want.size(); ++i) // a card may round the last bit
            QVERIFY2(std::abs(capped[i] - want[i]) <= 3e-7F * std::abs(want[i]),
                     qPrintable(QString::number(i)));
    }

    void an_edited_scale_is_used_data() { add_devices(); }
    void an_edited_scale_is_used() {
        QFETCH(QString, device);
        OpRig rig({3});
        const auto x = random_floats(3 * 33, 1);
        const auto scale = rig.input(1, 1, {1, 2, 4});
        const auto out = rig.value(1, 33);
        rig.op(run::NormApply{{NormKind::rms, 1e-6F}, rig.input(1, 33, x), scale, out});
        rig.capture(out);
        std::vector<double> want;
        for (std::size_t i = 0; i < x.size(); ++i)
            want.push_back(x[i] / std::pow(2.0, static_cast<double>(i / 33)));
        QVERIFY(close(rig.run(device).captures[0].data, want, "normalized"));
    }

    void activations_data() { add_devices(); }
    void activations() {
        QFETCH(QString, device);
        for (const Activation kind : {Activation::gelu, Activation::gelu_tanh, Activation::silu,
                                      Activation::relu, Activation::identity}) {
            for (const int width : {1, 7, 33, 129, 1000}) {
                auto x = random_floats(static_cast<std::size_t>(3) * width, 1, 3);
                if (width == 1000) { // far out on both sides
                    x[0] = 100;
                    x[1] = -100;
                    x[2] = 1e4F;
                    x[3] = -1e4F;
                    x[4] = 0;
                }
                const auto factor = random_floats(x.size(), 2);
                OpRig rig({3});
                const auto in = rig.input(1, width, x);
                const auto plain = rig.value(1, width), gated = rig.value(1, width);
                rig.op(run::Activate{kind, in, run::absent, plain});
                rig.op(run::Activate{kind, in, rig.input(1, width, factor), gated});
                rig.capture(plain);
                rig.capture(gated);
                std::vector<double> want, want_gated;
                for (std::size_t i = 0; i < x.size(); ++i) {
                    want.push_back(activation(kind, x[i]));
                    want_gated.push_back(want.back() * factor[i]);
                }
                const auto captures = rig.run(device).captures;
                if (width == 1000) // the large values would hide errors of the others
                    for (std::size_t i = 0; i < 5; ++i) {
                        QVERIFY(std::abs(captures[0].data[i] - want[i]) <= 1e-3);
                    }
                const std::size_t first = width == 1000 ? 5 : 0;
                QVERIFY(close(std::span(captures[0].data).subspan(first), std::span(want).subspan(first),
                              "activation"));
                QVERIFY(close(std::span(captures[1].data).subspan(first),
                              std::span(want_gated).subspan(first), "gated"));
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestOpsNorm)
#include "test_ops_norm.moc"
