// Next-token distributions against closed forms, and draws against them.
#include <cmath>

#include <QtTest>

#include "core/run/sampler.h"

using namespace vitrine::run;

class TestSampler : public QObject {
    Q_OBJECT
private slots:
    void a_uniform_distribution() {
        const std::vector<float> logits(8, 3.0F);
        const Distribution d = distribution_of(logits);
        QVERIFY(std::abs(d.entropy - std::log(8.0)) < 1e-12);
        QVERIFY(std::abs(d.varentropy) < 1e-12);
        QVERIFY(std::abs(d.margin) < 1e-12);
        QCOMPARE(d.best, 0);
    }

    void two_tokens_in_closed_form() {
        const double p = 0.8;
        const std::vector<float> logits{0.0F, static_cast<float>(std::log(p / (1 - p)))};
        const Distribution d = distribution_of(logits);
        const double h = -p * std::log(p) - (1 - p) * std::log(1 - p);
        QVERIFY(std::abs(d.entropy - h) < 1e-7);
        const double v = p * std::pow(std::log(p) + h, 2) + (1 - p) * std::pow(std::log(1 - p) + h, 2);
        QVERIFY(std::abs(d.varentropy - v) < 1e-7);
        QVERIFY(std::abs(d.margin - 0.6) < 1e-7);
        QCOMPARE(d.best, 1);
    }

    void draws_follow_the_probabilities() {
        const std::vector<float> logits{std::log(0.5F), std::log(0.3F), std::log(0.2F)};
        const Distribution d = distribution_of(logits);
        Sampler sampler({1.0, 0, 1.0}, 11);
        std::array<int, 3> counts{};
        constexpr int draws = 20000;
        for (int i = 0; i < draws; ++i)
            ++counts[static_cast<std::size_t>(sampler.draw(logits, d))];
        for (std::size_t id = 0; id < 3; ++id)
            QVERIFY(std::abs(counts[id] / double{draws} - d.probabilities[id]) <
                    0.015); // four standard deviations
    }

    void top_k_and_top_p_leave_the_rest_out() {
        const std::vector<float> logits{std::log(0.5F), std::log(0.3F), std::log(0.2F)};
        const Distribution d = distribution_of(logits);
        Sampler two({1.0, 2, 1.0}, 1);
        Sampler mass({1.0, 0, 0.6}, 1); // 0.5 is not enough, 0.8 is
        for (int i = 0; i < 500; ++i) {
            QVERIFY(two.draw(logits, d) != 2);
            QVERIFY(mass.draw(logits, d) != 2);
        }
    }

    void the_same_seed_draws_the_same_tokens() {
        const std::vector<float> logits(50, 0.0F);
        const Distribution d = distribution_of(logits);
        Sampler sampler({1.0, 0, 1.0}, 42);
        // First outputs of mt19937_64 with seed 42, times 50: the same on every platform.
        QCOMPARE(sampler.draw(logits, d), 37);
        QCOMPARE(sampler.draw(logits, d), 31);
    }
};

QTEST_GUILESS_MAIN(TestSampler)
#include "test_sampler.moc"
