// A cache of sinks and a window: against a float64 forward pass that hides the other keys, and, where
// positions count inside the cache, against one that really keeps such a cache
// (fixtures/analysis/make_sinks.py).
#include <cmath>

#include <QtTest>

#include "core/base/json.h"
#include "core/run/generate.h"
#include "core/run/spec_json.h"
#include "tests/run/loaded.h"

using namespace vitrine;
using namespace vitrine::run;
using test::Loaded;

namespace {

std::vector<int> made_ids(int count, int vocab) {
    std::vector<int> ids;
    for (int i = 0; i < count; ++i)
        ids.push_back((i * 37 + i * i) % vocab);
    return ids;
}

RunSpec spec_of(const std::vector<int>& ids, const std::string& attention) {
    RunSpec spec;
    spec.rows = {{{ids.begin(), ids.end()}, {}}};
    spec.attention = *parse_policy(attention);
    spec.choice = PositionChoice::all;
    spec.logits = true;
    spec.top = 0;
    return spec;
}

/// Largest difference, relative where the number is above 1.
double gap(const std::vector<float>& got, const std::vector<double>& want) {
    if (got.size() != want.size()) return INFINITY;
    double largest = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
        largest = std::max(largest, std::abs(static_cast<double>(got[i]) - want[i]) /
                                        std::max(1.0, std::abs(want[i])));
    return largest;
}

/// Full attention with every score masked, query by query, that a streaming head (all of them, or L1H1 alone)
/// does not see.
std::vector<double> masked_logits(const Loaded& on, const std::vector<int>& ids, int sinks, int window,
                                  bool one_head) {
    RunSpec spec = spec_of(ids, "");
    const std::string hook = one_head ? "blocks.1.attn.hook_attn_scores head=1" : "*hook_attn_scores";
    for (int query = sinks + window; query < static_cast<int>(ids.size()); ++query)
        spec.edits.push_back(*parse_edit(hook + " pos=" + std::to_string(query) +
                                         " key=" + std::to_string(sinks) + ":" +
                                         std::to_string(query - window + 1) + " mask"));
    const auto logits = on.run(spec).rows[0].logits.data;
    return {logits.begin(), logits.end()};
}

} // namespace

class TestAttentionPolicy : public QObject {
    Q_OBJECT
private slots:
    void text_and_json_read_back() {
        for (const char* text : {"window=64", "window=7 sinks=4", "window=1 sinks=2 reindexed",
                                 "window=9 reindexed heads=L0H1,L2H0,L2H3"}) {
            const auto policy = parse_policy(text);
            QVERIFY(policy);
            QCOMPARE(to_text(*policy), std::string(text));
            RunSpec spec;
            spec.attention = *policy;
            const auto again = run_spec_from_json(to_json(spec));
            QVERIFY(again);
            QVERIFY(again->attention == *policy);
        }
        QCOMPARE(to_text(*parse_policy("")), std::string());
        QVERIFY(!to_json(RunSpec{}).contains("attention"));
    }

    void what_cannot_be_read_or_done_is_refused_in_one_sentence_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("says");
        QTest::newRow("no window") << "llama-random"
                                   << "sinks=4"
                                   << "names no window";
        QTest::newRow("zero") << "llama-random"
                              << "window=0"
                              << "no number of tokens";
        QTest::newRow("negative") << "llama-random"
                                  << "window=4 sinks=-1"
                                  << "no number of tokens";
        QTest::newRow("word") << "llama-random"
                              << "window=4 last"
                              << "\"last\" is unknown";
        QTest::newRow("head") << "llama-random"
                              << "window=4 heads=L0"
                              << "\"L0\" is no head";
        QTest::newRow("no such head") << "llama-random"
                                      << "window=4 heads=L0H4"
                                      << "There is no head L0H4";
        QTest::newRow("learned positions") << "gpt2-random"
                                           << "window=4 reindexed"
                                           << "only rotary ones can be";
    }
    void what_cannot_be_read_or_done_is_refused_in_one_sentence() {
        QFETCH(QString, model);
        QFETCH(QString, text);
        QFETCH(QString, says);
        const Loaded on(test::fixture(model.toStdString()), "cpu");
        const auto policy = parse_policy(text.toStdString());
        RunSpec spec = spec_of({1, 2, 3}, "");
        if (policy) spec.attention = *policy;
        const Status status = policy ? run::check(*on.model, spec) : tl::unexpected(policy.error());
        QVERIFY(!status);
        QVERIFY2(QString::fromStdString(status.error().message).contains(says),
                 status.error().message.c_str());
        QVERIFY(QString::fromStdString(status.error().message).endsWith('.'));
    }

    void other_keys_are_hidden_data() {
        QTest::addColumn<QString>("device");
        QTest::addColumn<QString>("model");
        for (const std::string& device : test::devices())
            for (const char* model : {"llama-random", "gpt2-random"})
                QTest::newRow((std::string(model) + " on " + device).c_str())
                    << QString::fromStdString(device) << model;
    }
    void other_keys_are_hidden() {
        QFETCH(QString, device);
        QFETCH(QString, model);
        const Loaded on(test::fixture(model.toStdString()), device.toStdString());
        const auto ids = made_ids(45, on.model->spec.vocab);
        for (const auto& [sinks, window] : {std::pair{0, 6}, {4, 6}, {1, 1}, {3, 20}, {0, 45}, {50, 3}}) {
            const std::string text = "window=" + std::to_string(window) + " sinks=" + std::to_string(sinks);
            const auto want = masked_logits(on, ids, sinks, window, false);
            RunSpec spec = spec_of(ids, text);
            const double largest = gap(on.run(spec).rows[0].logits.data, want);
            QVERIFY2(largest < 2e-5, (text + ": " + std::to_string(1e6 * largest) + "e-6").c_str());
            // With scores and pattern captured, and with an edit between them.
            spec.captures = {"*hook_attn_scores", "*hook_pattern"};
            const RunResult captured = on.run(spec);
            QVERIFY(gap(captured.rows[0].logits.data, want) < 2e-5);
            const Tensor& pattern = captured.rows[0].find("blocks.0.attn.hook_pattern")->tensor;
            for (int q = 0; q < 45; ++q)
                for (int k = 0; k < 45; ++k)
                    QCOMPARE(pattern.data[static_cast<std::size_t>(q * 45 + k)] > 0,
                             k <= q && (k < sinks || k + window > q));
            spec.edits = {*parse_edit("*hook_pattern scale 1")};
            QVERIFY(gap(on.run(spec).rows[0].logits.data, want) < 2e-5);
        }
        const auto want = masked_logits(on, ids, 2, 5, true);
        QVERIFY(gap(on.run(spec_of(ids, "window=5 sinks=2 heads=L1H1")).rows[0].logits.data, want) < 2e-5);
    }

    void positions_count_inside_the_cache_data() {
        QTest::addColumn<QString>("device");
        for (const std::string& device : test::devices())
            QTest::newRow(device.c_str()) << QString::fromStdString(device);
    }
    void positions_count_inside_the_cache() {
        QFETCH(QString, device);
        const Loaded on(test::fixture("llama-random"), device.toStdString());
        const auto fixture =
            read_json(std::string(VITRINE_FIXTURES) + "/analysis/streaming-llama-random.json");
        QVERIFY(fixture);
        const auto ids = fixture->at("ids").get<std::vector<int>>();
        for (const Json& check : fixture->at("cases")) {
            const std::string text = "window=" + std::to_string(check.at("window").get<int>()) +
                                     " sinks=" + std::to_string(check.at("sinks").get<int>()) + " reindexed";
            RunSpec spec = spec_of(ids, text);
            for (const bool split : {false, true}) {
                if (split) spec.edits = {*parse_edit("*hook_attn_scores scale 1")};
                auto got = on.run(spec).rows[0].token_nll;
                got.erase(got.begin());
                QVERIFY2(gap(got, check.at("nll").get<std::vector<double>>()) < 4e-6, text.c_str());
            }
        }
    }

    void generation_keeps_the_same_cache_data() { positions_count_inside_the_cache_data(); }
    void generation_keeps_the_same_cache() {
        QFETCH(QString, device);
        const Loaded on(test::fixture("llama-random"), device.toStdString());
        for (const char* text :
             {"window=6 sinks=2 reindexed", "window=5 sinks=1", "window=4 heads=L0H1,L2H3"}) {
            GenerateSpec generate;
            generate.prompt = spec_of(made_ids(12, on.model->spec.vocab), text);
            generate.prompt.captures = {"*hook_attn_scores"};
            generate.max_new = 9;
            const auto made = run::generate(*on.loaded, *on.model, generate, {}, {}, {});
            QVERIFY2(made, made ? "" : made.error().message.c_str());
            auto ids = made_ids(12, on.model->spec.vocab);
            for (const GenerateStep& step : made->rows[0].steps) {
                // A fresh forward pass over what was read when this token was drawn.
                RunSpec fresh = spec_of(ids, text);
                fresh.choice = PositionChoice::last;
                fresh.top = 1;
                fresh.captures = {"*hook_attn_scores"};
                const RunResult whole = on.run(fresh);
                QCOMPARE(whole.rows[0].positions[0].stats.top[0].id, step.id);
                QVERIFY(std::abs(static_cast<double>(whole.rows[0].positions[0].stats.entropy) -
                                 step.entropy) < 1e-5);
                for (std::size_t i = 0; i < step.captures.size(); ++i) {
                    const Tensor& all = whole.rows[0].captures[i].tensor;
                    const auto keys = static_cast<std::size_t>(all.shape[2]);
                    for (std::size_t h = 0; h < static_cast<std::size_t>(all.shape[0]); ++h)
                        for (std::size_t k = 0; k < keys; ++k) {
                            const float a = all.data[((h + 1) * keys - 1) * keys + k];
                            const float b = step.captures[i].tensor.data[h * keys + k];
                            QVERIFY(a == b || std::abs(a - b) < 1e-4F);
                        }
                }
                ids.push_back(step.id);
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestAttentionPolicy)
#include "test_attention_policy.moc"
