// Normalisation and activation functions, on every device.
#include <cstring>

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
        for (const Activation kind :
             {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu}) {
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
