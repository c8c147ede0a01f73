// Next-token statistics, on every device.
#include <algorithm>
#include <numeric>

#include "tests/backend/op_rig.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

struct Wanted {
    double logsumexp, entropy, varentropy;
    std::vector<double> log_p;
    std::vector<int> order; ///< ids by falling logit, ties by id
};

Wanted reference(const std::vector<double>& logits) {
    Wanted want{};
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const double x : logits)
        sum += std::exp(x - largest);
    want.logsumexp = largest + std::log(sum);
    for (const double x : logits) {
        want.log_p.push_back(x - want.logsumexp);
        want.entropy -= std::exp(want.log_p.back()) * want.log_p.back();
    }
    for (const double l : want.log_p)
        want.varentropy += std::exp(l) * (l + want.entropy) * (l + want.entropy);
    want.order.resize(logits.size());
    std::iota(want.order.begin(), want.order.end(), 0);
    std::stable_sort(want.order.begin(), want.order.end(), [&](int a, int b) {
        return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
    });
    return want;
}

/// float32's precision of the numbers that go in: logits of magnitude m are only known to m · 2^-24.
bool near(float got, double want, double magnitude = 1) {
    const bool good = std::abs(got - want) <= 4e-6 * std::max(magnitude, std::abs(want));
    if (!good) qWarning("%.9g instead of %.9g", static_cast<double>(got), want);
    return good;
}

void check(const backend::LogitRow& got, const Wanted& want, std::int32_t target, int top,
           const std::vector<double>& logits, double magnitude) {
    QVERIFY(near(got.logsumexp, want.logsumexp, magnitude));
    QVERIFY(near(got.entropy, want.entropy, magnitude));
    QVERIFY(near(got.varentropy, want.varentropy, magnitude * std::sqrt(want.varentropy)));
    if (target < 0)
        QVERIFY(std::isnan(got.nll));
    else
        QVERIFY(near(got.nll, -want.log_p[static_cast<std::size_t>(target)], magnitude));
    QCOMPARE(got.top.size(), std::min(static_cast<std::size_t>(top), logits.size()));
    for (std::size_t i = 0; i < got.top.size(); ++i) {
        // The logits of neighbours may be as near as rounding: compare the logit that stands at that place.
        const double expected = logits[static_cast<std::size_t>(want.order[i])];
        QVERIFY(near(got.top[i].logit, expected, magnitude));
        QVERIFY(near(got.top[i].logit, logits[static_cast<std::size_t>(got.top[i].id)], magnitude));
    }
}

} // namespace

class TestOpsReadout : public QObject {
    Q_OBJECT
private slots:
    void statistics_from_the_residual_stream_data() { add_devices(); }
    void statistics_from_the_residual_stream() {
        QFETCH(QString, device);
        const struct {
            int width, vocab, rows;
            double spread;
        } shapes[] = {{1, 1, 1, 1}, {7, 33, 3, 1}, {33, 129, 7, 0.3}, {64, 5000, 5, 0.5}, {16, 300, 200, 2}};
        for (const auto& shape : shapes) {
            for (const bool biased : {false, true}) {
                OpRig rig({shape.rows, 3});
                const int tokens = shape.rows + 3;
                const auto x = random_floats(static_cast<std::size_t>(tokens * shape.width), 1);
                const auto w =
                    random_floats(static_cast<std::size_t>(shape.width * shape.vocab), 2, shape.spread);
                const auto b = random_floats(static_cast<std::size_t>(shape.vocab), 3);
                const auto hidden = rig.input(1, shape.width, x);
                run::LogitStats stats;
                stats.weight = rig.weight("W_U", shape.width, shape.vocab, w, true);
                stats.bias = biased ? rig.weight("b_U", 1, shape.vocab, b) : run::absent;
                stats.hidden = hidden;
                stats.logits = run::absent;
                stats.top = 10;
                stats.watch = {shape.vocab - 1, 0, shape.vocab / 2};
                for (int i = 0; i < shape.rows; ++i) {
                    stats.rows.push_back(tokens - 1 - i); // from the back
                    stats.targets.push_back(i % 3 == 2 ? -1 : (i * 17) % shape.vocab);
                }
                rig.op(stats);
                const auto outputs = rig.run(device);
                QCOMPARE(outputs.logit_rows.size(), stats.rows.size());
                for (std::size_t i = 0; i < stats.rows.size(); ++i) {
                    std::vector<double> logits;
                    double magnitude = 1;
                    for (int n = 0; n < shape.vocab; ++n) {
                        double sum = biased ? b[static_cast<std::size_t>(n)] : 0.0;
                        for (int k = 0; k < shape.width; ++k)
                            sum += static_cast<double>(
                                       x[static_cast<std::size_t>(stats.rows[i] * shape.width + k)]) *
                                   w[static_cast<std::size_t>(k * shape.vocab + n)];
                        logits.push_back(sum);
                        magnitude = std::max(magnitude, std::abs(sum));
                    }
                    check(outputs.logit_rows[i], reference(logits), stats.targets[i], stats.top, logits,
                          magnitude);
                    QCOMPARE(outputs.logit_rows[i].watched.size(), stats.watch.size());
                    for (std::size_t j = 0; j < stats.watch.size(); ++j)
                        QVERIFY(near(outputs.logit_rows[i].watched[j],
                                     logits[static_cast<std::size_t>(stats.watch[j])], magnitude));
                    if (QTest::currentTestFailed()) return;
                }
            }
        }
    }

    void logits_are_scaled_then_capped_data() { add_devices(); }
    void logits_are_scaled_then_capped() {
        QFETCH(QString, device);
        for (const int vocab : {3, 33, 500}) {
            OpRig rig({5});
            const auto x = random_floats(5 * 16, 1);
            const auto w = random_floats(static_cast<std::size_t>(16 * vocab), 2, 3);
            const auto hidden = rig.input(1, 16, x);
            run::LogitStats stats;
            stats.weight = rig.weight("W_U", 16, vocab, w);
            stats.bias = stats.logits = run::absent;
            stats.hidden = hidden;
            stats.rows = {0, 1, 2, 3, 4};
            stats.targets = {0, 1, 2, 0, -1};
            stats.top = 3;
            stats.scale = 0.5F;
            stats.cap = 6;
            rig.op(stats);
            const auto outputs = rig.run(device);
            // The same with the logits stored: the same bits.
            OpRig stored({5});
            const auto again = stored.input(1, 16, x);
            const auto product = stored.value(1, vocab), scaled = stored.value(1, vocab),
                       capped = stored.value(1, vocab);
            stored.op(run::Linear{stored.weight("W_U", 16, vocab, w), run::absent, again, product});
            stored.op(run::Pointwise{run::PointwiseKind::scale, 0.5F, product, scaled});
            stored.op(run::Pointwise{run::PointwiseKind::cap, 6, scaled, capped});
            stats.weight = stats.hidden = run::absent;
            stats.logits = capped;
            stats.scale = 1;
            stats.cap = 0;
            stored.op(stats);
            const auto kept = stored.run(device);
            for (std::size_t i = 0; i < 5; ++i) {
                std::vector<double> logits;
                for (int n = 0; n < vocab; ++n) {
                    double sum = 0;
                    for (int k = 0; k < 16; ++k)
                        sum += static_cast<double>(x[i * 16 + static_cast<std::size_t>(k)]) *
                               w[static_cast<std::size_t>(k * vocab + n)];
                    logits.push_back(6 * std::tanh(sum * 0.5 / 6));
                }
                check(outputs.logit_rows[i], reference(logits), stats.targets[i], stats.top, logits, 6);
                if (QTest::currentTestFailed()) return;
                QCOMPARE(outputs.logit_rows[i].logsumexp, kept.logit_rows[i].logsumexp);
                QCOMPARE(outputs.logit_rows[i].top[0].logit, kept.logit_rows[i].top[0].logit);
            }
        }
    }

    void statistics_of_stored_logits_data() { add_devices(); }
    void statistics_of_stored_logits() {
        QFETCH(QString, device);
        for (const int vocab : {1, 7, 33, 1000}) {
            OpRig rig({4});
            auto logits = random_floats(static_cast<std::size_t>(3) * vocab, 1, 3);
            if (vocab == 1000) {
                for (int n = 0; n < vocab; ++n)
                    logits[static_cast<std::size_t>(n)] = 2; // uniform: all are ties
                logits[1500] = 60;                           // certain
            }
            run::LogitStats stats;
            stats.weight = stats.bias = stats.hidden = run::absent;
            stats.logits = rig.input(1, vocab, logits);
            stats.rows = {1, 3, 2};
            stats.targets = {0, -1, vocab - 1};
            stats.top = 5;
            rig.op(stats);
            const auto outputs = rig.run(device);
            QCOMPARE(outputs.logit_rows.size(), std::size_t{3});
            for (std::size_t i = 0; i < 3; ++i) {
                const std::vector<double> row(logits.begin() + static_cast<std::ptrdiff_t>(i) * vocab,
                                              logits.begin() + static_cast<std::ptrdiff_t>(i + 1) * vocab);
                check(outputs.logit_rows[i], reference(row), stats.targets[i], stats.top, row, 1);
                if (QTest::currentTestFailed()) return;
            }
            if (vocab == 1000) {
                for (std::int32_t id = 0; id < 5; ++id)
                    QCOMPARE(outputs.logit_rows[0].top[static_cast<std::size_t>(id)].id, id);
                QCOMPARE(outputs.logit_rows[1].top[0].id, 500);
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestOpsReadout)
#include "test_ops_readout.moc"
