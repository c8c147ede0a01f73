// Geometry of made-up residual streams whose numbers are known in closed form.
#include <cmath>

#include <QtTest>

#include "tests/analysis/drive.h"

using namespace drive;

namespace {

constexpr int width = 8;

/// A row's stream in layer L: L = 0 orthogonal vectors of length 2, L = 1 the same vector everywhere, L = 2
/// one dimension far larger than what else differs, with alternating signs in the rest.
Array stream(const std::string& hook, const Json& row) {
    const int layer = hook.at(7) - '0';
    const int length = length_of(row);
    Array x{{length, width}, std::vector<float>(static_cast<std::size_t>(length * width))};
    const double part = hook.find("attn_out") != std::string::npos  ? 0.5
                        : hook.find("mlp_out") != std::string::npos ? 0.25
                                                                    : 1;
    for (int pos = 0; pos < length; ++pos)
        for (int d = 0; d < width; ++d) {
            double value = 0;
            if (layer == 0) value = d == pos ? 2 : 0;
            if (layer == 1) value = d + 1;
            if (layer == 2) value = d == 3 ? 1000 : (pos % 2 == 0 ? 1 : -1);
            x.data[static_cast<std::size_t>(pos * width + d)] = static_cast<float>(part * value);
        }
    return x;
}

World world() { return {model(3, 2, {{"d_model", width}}), stream, {}, {}}; }

} // namespace

class TestGeometry : public QObject {
    Q_OBJECT
private slots:
    void cosines() {
        const Outcome outcome = run("isotropy", world(), {{"top", 1}}, plain_rows({4, 6}));
        const auto all = outcome.numbers("isotropy");
        compare(all[0], 0);
        compare(all[1], 1);
        QVERIFY(all[2] > 0.9999);
        compare(outcome.numbers("adjacent_cosine")[1], 1);
        // Without dimension 3, vectors are u, −u, u, …: of 4 tokens 2 of 6 pairs are alike, of 6 tokens 6
        // of 15.
        compare(outcome.numbers("isotropy_without_top")[2], ((2.0 - 4.0) / 6 + (6.0 - 9.0) / 15) / 2);
    }

    void special_tokens_are_left_out() {
        // Row 0 of these has a BOS; with it, 2 of 3 tokens are alike in the rest of layer 2.
        const Outcome outcome = run("isotropy", world(), {{"top", 1}}, rows_of({3}));
        const auto rest = outcome.numbers("isotropy_nonspecial");
        const double near = (1e6 - (width - 1)) / (1e6 + (width - 1)); // of the two that are left
        compare(rest[2], near, 1e-9);
    }

    void one_token_has_no_pairs() {
        const Outcome outcome = run("isotropy", world(), {}, plain_rows({1}));
        QVERIFY(std::isnan(outcome.numbers("isotropy")[0]));
        // A row without pairs takes no part in the mean.
        compare(run("isotropy", world(), {}, plain_rows({1, 4})).numbers("isotropy")[1], 1);
    }

    void rank_and_rate() {
        const int n = 5;
        const double epsilon = 0.4;
        const Outcome outcome = run("residual-geometry", world(), {{"epsilon", epsilon}}, plain_rows({n}));
        const auto rank = outcome.numbers("effective_rank"), rate = outcome.numbers("coding_rate");
        compare(rank[0], n);
        compare(rank[1], 1, 1e-5);
        const double scale = width / (n * epsilon * epsilon);
        compare(rate[0], n / 2.0 * std::log(1 + 4 * scale), 1e-5);
        compare(rate[1], std::log(1 + scale * n * 204) / 2, 1e-5); // 1² + … + 8² = 204
        compare(outcome.numbers("norm")[0], 2);
        compare(outcome.numbers("norm")[1], std::sqrt(204.0), 1e-5);
        for (int layer = 0; layer < 3; ++layer) {
            compare(outcome.numbers("norm_ratio")[static_cast<std::size_t>(layer)], 0.5);
            compare(outcome.numbers("mlp_ratio")[static_cast<std::size_t>(layer)], 0.25);
        }
    }
};

QTEST_GUILESS_MAIN(TestGeometry)
#include "test_geometry.moc"
