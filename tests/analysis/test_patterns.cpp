// Analyses of attention patterns against closed forms, through the C interface.
#include <cmath>

#include <QtTest>

#include "tests/analysis/drive.h"

using namespace drive;

namespace {

// Head 0 looks at all keys alike, head 1 at key 0 only.
World uniform_and_sink(int layers) {
    return {model(layers, 2),
            [](const std::string&, const Json& row) {
                return pattern(2, length_of(row), [](int head, int query, int key) {
                    return head == 0 ? 1.0 / (query + 1) : key == 0 ? 1.0 : 0.0;
                });
            },
            {},
            {}};
}

} // namespace

class TestPatterns : public QObject {
    Q_OBJECT
private slots:
    void a_layer_too_large_to_be_kept_is_refused_with_the_length_that_fits() {
        const Outcome outcome = run("head-entropy", {model(2, 12), {}, {}, {}}, {}, rows_of({8192}));
        QVERIFY(outcome.needs.empty());
        QCOMPARE(outcome.error.at("code").get<std::string>(), std::string("too-large"));
        QVERIFY(outcome.error.at("message").get<std::string>().find("8192 tokens") != std::string::npos);
    }

    void sink_rate_of_a_uniform_and_of_a_sinking_head() {
        const Outcome outcome = run("sink-rate", uniform_and_sink(3), {}, rows_of({64, 64}));
        compare(outcome.numbers("sink_rate").front(), 50.0);
        const auto alpha = outcome.numbers("alpha");
        QCOMPARE(alpha.size(), std::size_t{6});
        for (std::size_t layer = 0; layer < 3; ++layer) {
            compare(alpha[2 * layer], harmonic(64) / 64); // 0.0741
            compare(alpha[2 * layer + 1], 1.0);
        }
        compare(outcome.numbers("uniform").front(), harmonic(64) / 64, 1e-12);
        compare(outcome.numbers("uniform").front(), 0.0741, 5e-5);
        const auto note = outcome.find("note").at("value").get<std::string>();
        QCOMPARE(note, std::string("2 rows of 64 tokens; a special token (BOS) comes first."));
    }

    void sink_rate_is_strict() {
        const World world{model(1, 1),
                          [](const std::string&, const Json& row) {
                              return pattern(1, length_of(row),
                                             [](int, int, int key) { return key == 0 ? 0.25 : 0.0; });
                          },
                          {},
                          {}};
        compare(run("sink-rate", world, {{"epsilon", 0.25}}, rows_of({64})).numbers("sink_rate").front(),
                0.0);
        compare(run("sink-rate", world, {{"epsilon", 0.249}}, rows_of({64})).numbers("sink_rate").front(),
                100.0);
    }

    void short_rows_give_alpha_but_no_rate() {
        const Outcome outcome = run("sink-rate", uniform_and_sink(1), {}, rows_of({64, 9}));
        QVERIFY(std::isnan(outcome.numbers("sink_rate").front()));
        compare(outcome.numbers("alpha").front(), (harmonic(64) / 64 + harmonic(9) / 9) / 2);
        QVERIFY(outcome.find("note").at("value").get<std::string>().find("No rate") != std::string::npos);
    }

    void sink_rate_at_another_key_counts_from_it() {
        // Queries from 5 on give all to key 5: alpha_5 = 1 although the whole column's mean is less.
        const World world{model(1, 1),
                          [](const std::string&, const Json& row) {
                              return pattern(1, length_of(row), [](int, int query, int key) {
                                  return query >= 5 ? (key == 5 ? 1.0 : 0.0) : 1.0 / (query + 1);
                              });
                          },
                          {},
                          {}};
        compare(run("sink-rate", world, {{"key", 5}}, rows_of({64})).numbers("alpha").front(), 1.0);
        compare(run("sink-rate", world, {{"key", -59}}, rows_of({64})).numbers("alpha").front(), 1.0);
        const Outcome refused = run("sink-rate", world, {{"key", 64}}, rows_of({64}));
        QCOMPARE(refused.error.at("code").get<std::string>(), std::string("out-of-range"));
    }

    void sink_map_of_rows_of_different_length() {
        const Outcome outcome = run("sink-map", uniform_and_sink(1), {}, rows_of({4, 6}));
        const Json& result = outcome.find("alpha");
        QCOMPARE(result.at("axes").size(), std::size_t{4}); // row, layer, head, key
        QCOMPARE(result.at("lengths"), Json({4, 6}));
        QVERIFY(result.at("axes")[3].at("ragged").get<bool>());
        const auto alpha = outcome.numbers("alpha");
        QCOMPARE(alpha.size(), std::size_t{2 * 2 * 6});
        compare(alpha[2], (1.0 / 3 + 1.0 / 4) / 2); // row 0, head 0, key 2
        QVERIFY(std::isnan(alpha[4]));              // beyond row 0
        compare(alpha[12 + 5], 1.0 / 6);            // row 1, head 0, key 5
        compare(alpha[18], 1.0);                    // row 1, head 1, key 0
        compare(outcome.numbers("uniform")[6 + 1], (harmonic(6) - 1) / 5, 1e-12);
    }

    void one_row_has_no_row_axis_and_its_tokens_as_labels() {
        const Outcome outcome = run("sink-map", uniform_and_sink(2), {}, rows_of({3}));
        const Json& axes = outcome.find("alpha").at("axes");
        QCOMPARE(axes.size(), std::size_t{3});
        QCOMPARE(axes[2].at("labels"), Json({"t0", "t1", "t2"}));
        QVERIFY(!outcome.find("alpha").contains("lengths"));
    }

    void entropy_of_uniform_attention_is_ln_of_the_visible_keys() {
        const int length = 50;
        const Outcome raw = run("head-entropy", uniform_and_sink(1), {}, rows_of({length}));
        double expected = 0; // ln(T!) / T
        for (int i = 1; i <= length; ++i)
            expected += std::log(i) / length;
        compare(raw.numbers("entropy")[0], expected);
        compare(raw.numbers("entropy")[1], 0.0);
        const Outcome normalised =
            run("head-entropy", uniform_and_sink(1), {{"normalise", true}}, rows_of({length}));
        compare(normalised.numbers("entropy")[0], 1.0);
        compare(normalised.numbers("entropy")[1], 0.0);
    }

    void entropy_averages_rows_of_equal_weight() {
        const Outcome outcome = run("head-entropy", uniform_and_sink(1), {}, rows_of({1, 2}));
        compare(outcome.numbers("entropy")[0], (0.0 + std::log(2.0) / 2) / 2);
        const Outcome refused =
            run("head-entropy", uniform_and_sink(1), {{"normalise", true}}, rows_of({2, 1}));
        QCOMPARE(refused.error.at("code").get<std::string>(), std::string("out-of-range"));
    }

    void heads_on_a_sink_are_no_collapse() {
        // Head 0 is even, head 1 looks at key 0 alone, in an early and in a deep layer.
        const Outcome outcome = run("head-entropy", uniform_and_sink(2), {}, rows_of({50}));
        const Json& heads = outcome.find("heads").at("value");
        QCOMPARE(heads.size(), std::size_t{4});
        QCOMPARE(heads[0].at("label"), Json("overload")); // layer 0
        QCOMPARE(heads[1].at("label"), Json("sink"));
        QCOMPARE(heads[2].at("label"), Json("neither")); // deep
        QCOMPARE(heads[3].at("label"), Json("sink"));
        compare(outcome.numbers("normalised")[0], 1.0);
        double mass = 0; // of an even head on key 0, over the queries that see more: (H_50 − 1) / 49
        for (int i = 2; i <= 50; ++i)
            mass += 1.0 / i / 49;
        compare(outcome.numbers("sink_mass")[0], mass);
        compare(outcome.numbers("sink_mass")[1], 1.0);
        // Without key 0 an even head is even over one key less; of the other nothing is left.
        double rest = 0;
        for (int i = 2; i <= 50; ++i)
            rest += std::log(i - 1) / 49;
        compare(outcome.numbers("without_sinks")[0], rest);
        QVERIFY(std::isnan(outcome.numbers("without_sinks")[1]));
        const Outcome shares = run("head-entropy", uniform_and_sink(2), {{"normalise", true}}, rows_of({50}));
        compare(shares.numbers("without_sinks")[0], 1.0);
        // With another key as the sink, looking at key 0 alone is a collapse in the deep layer.
        const Outcome other = run("head-entropy", uniform_and_sink(2), {{"sink_keys", 3}}, rows_of({50}));
        QCOMPARE(other.find("heads").at("value")[3].at("label"), Json("collapse"));
        QCOMPARE(other.find("heads").at("value")[1].at("label"), Json("neither")); // early
        const auto counts = outcome.numbers("histogram");
        compare(counts.front(), 2);
        compare(counts.back(), 2);
    }

    void one_token_has_entropy_and_no_label() {
        const Outcome outcome = run("head-entropy", uniform_and_sink(1), {}, rows_of({1}));
        compare(outcome.numbers("entropy")[0], 0.0);
        QVERIFY(std::isnan(outcome.numbers("normalised")[0]));
        QCOMPARE(outcome.find("heads").at("value")[0].at("label"), Json("unknown"));
        const Outcome refused = run("head-entropy", uniform_and_sink(1), {{"sink_keys", 4}}, rows_of({2}));
        QCOMPARE(refused.error.at("code").get<std::string>(), std::string("out-of-range"));
    }

    void normalised_entropy_knows_the_window() {
        World world = uniform_and_sink(1);
        world.model["window"] = {2};
        world.capture = [](const std::string&, const Json& row) {
            return pattern(2, length_of(row), [](int, int query, int key) {
                return query - key >= 2 ? 0.0 : 1.0 / std::min(query + 1, 2);
            });
        };
        compare(run("head-entropy", world, {{"normalise", true}}, rows_of({9})).numbers("entropy")[0], 1.0);
    }

    void large_rows_are_asked_for_in_portions() {
        // 4096² · 4 bytes · 2 heads = 128 MiB a layer: two layers fit into one need, and rows never share it.
        World world = uniform_and_sink(3);
        world.model["context"] = 5000;
        int asked = 0;
        world.capture = [&asked](const std::string&, const Json& row) {
            ++asked;
            const int length = length_of(row);
            // Only the shape matters: an all-zero pattern of the right size.
            return Array{
                {2, length, length},
                std::vector<float>(static_cast<std::size_t>(2 * length) * static_cast<std::size_t>(length))};
        };
        const Outcome outcome = run("head-entropy", world, {}, rows_of({4096, 10, 10}));
        QCOMPARE(outcome.needs.size(), std::size_t{3});
        QCOMPARE(outcome.needs[0].at("runs")[0].at("captures").size(), std::size_t{2});
        QCOMPARE(outcome.needs[1].at("runs")[0].at("captures").size(), std::size_t{1});
        QCOMPARE(outcome.needs[2].at("runs")[0].at("rows").size(), std::size_t{2});
        QCOMPARE(asked, 3 + 2 * 3);
        compare(outcome.numbers("entropy")[0], 0.0);
    }

    void attention_of_one_head() {
        const World world = uniform_and_sink(2);
        const Outcome outcome = run("attention", world, {{"layer", 1}, {"head", 0}}, rows_of({3}));
        QCOMPARE(outcome.needs.front().at("runs")[0].at("captures"), Json({"blocks.1.attn.hook_pattern"}));
        const Json& result = outcome.find("attention");
        QCOMPARE(result.at("kind").get<std::string>(), std::string("stack"));
        QCOMPARE(result.at("axes")[0].at("labels"), Json({"1"}));
        const std::vector<double> expected = {1, 0, 0, 0.5, 0.5, 0, 1.0 / 3, 1.0 / 3, 1.0 / 3};
        const auto values = outcome.numbers("attention");
        QCOMPARE(values.size(), expected.size());
        for (std::size_t i = 0; i < values.size(); ++i)
            compare(values[i], expected[i]);
        QCOMPARE(run("attention", world, {{"layer", 2}}, rows_of({3})).error.at("code").get<std::string>(),
                 std::string("out-of-range"));
    }

    void masked_scores_are_no_values() {
        World world = uniform_and_sink(1);
        world.capture = [](const std::string& hook, const Json&) {
            if (hook != "blocks.0.attn.hook_attn_scores") throw std::runtime_error(hook);
            return Array{{2, 2, 2}, {3, -INFINITY, 1, 2, 4, -INFINITY, 5, 6}};
        };
        const auto values = run("attention", world, {{"show", "score"}}, rows_of({2})).numbers("attention");
        QVERIFY(std::isnan(values[1]) && std::isnan(values[5]));
        compare(values[7], 6.0);
    }

    void value_weighted_attention_scales_by_what_is_moved() {
        // Two heads share one key-value head; W_O moves head 0 by (3, 4) · v and head 1 by (0, 1) · v.
        World world = uniform_and_sink(1);
        world.model.update({{"kv_heads", 1}, {"d_head", 1}, {"d_model", 2}});
        world.weights["blocks.0.attn.W_O"] = {{2, 2}, {3, 4, 0, 1}};
        world.capture = [](const std::string& hook, const Json& row) {
            if (hook == "blocks.0.attn.hook_v") return Array{{2, 1, 1}, {1, -2}};
            return pattern(2, length_of(row), [](int, int query, int) { return 1.0 / (query + 1); });
        };
        const auto values =
            run("attention", world, {{"show", "value-weighted"}}, rows_of({2})).numbers("attention");
        const std::vector<double> expected = {5, 0, 2.5, 5, 1, 0, 0.5, 1};
        for (std::size_t i = 0; i < expected.size(); ++i)
            compare(values[i], expected[i]);
    }

    void value_norm_leaves_the_output_matrix_out() {
        World world = uniform_and_sink(1);
        world.model.update({{"kv_heads", 1}, {"d_head", 2}});
        world.capture = [](const std::string& hook, const Json& row) {
            if (hook == "blocks.0.attn.hook_v") return Array{{2, 1, 2}, {3, 4, 0, -2}};
            return pattern(2, length_of(row), [](int, int query, int) { return 1.0 / (query + 1); });
        };
        const auto values =
            run("attention", world, {{"show", "value-norm"}}, rows_of({2})).numbers("attention");
        const std::vector<double> expected = {5, 0, 2.5, 1, 5, 0, 2.5, 1};
        for (std::size_t i = 0; i < expected.size(); ++i)
            compare(values[i], expected[i]);
    }

    void rollout_is_the_product_of_halves() {
        // Made-up patterns, their product written out as full matrices in float64, query by query.
        constexpr int heads = 3, layers = 4;
        const auto weight = [](int layer, int head, int query, int key) {
            double sum = 0;
            const auto raw = [&](int k) { return 1.0 + ((layer * 7 + head * 5 + query * 3 + k * k) % 11); };
            for (int k = 0; k <= query; ++k)
                sum += raw(k);
            return raw(key) / sum;
        };
        const World world{model(layers, heads),
                          [&](const std::string& hook, const Json& row) {
                              const int layer = hook[std::string("blocks.").size()] - '0';
                              return pattern(heads, length_of(row), [&](int head, int query, int key) {
                                  return weight(layer, head, query, key);
                              });
                          },
                          {},
                          {}};
        const Outcome outcome = run("attention-rollout", world, {}, rows_of({5, 7}));
        const auto values = outcome.numbers("rollout"); // row × layer × 7 × 7
        QCOMPARE(values.size(), std::size_t{2 * layers * 7 * 7});
        QCOMPARE(outcome.find("rollout").at("lengths"), Json({5, 7}));
        for (int row = 0; row < 2; ++row) {
            const int length = row == 0 ? 5 : 7;
            std::vector<std::vector<double>> reached(7, std::vector<double>(7));
            for (int i = 0; i < length; ++i)
                reached[static_cast<std::size_t>(i)][static_cast<std::size_t>(i)] = 1;
            for (int layer = 0; layer < layers; ++layer) {
                auto next = reached;
                for (int q = 0; q < length; ++q)
                    for (int k = 0; k < length; ++k) {
                        double sum = 0;
                        for (int via = 0; via < length; ++via) {
                            double half = via == q ? 0.5 : 0;
                            for (int head = 0; head < heads && via <= q; ++head)
                                half += weight(layer, head, q, via) / (2 * heads);
                            sum += half * reached[static_cast<std::size_t>(via)][static_cast<std::size_t>(k)];
                        }
                        next[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)] = sum;
                    }
                reached = next;
                for (int q = 0; q < length; ++q) {
                    double all = 0;
                    for (int k = 0; k < length; ++k) {
                        const double value =
                            values[static_cast<std::size_t>(((row * layers + layer) * 7 + q) * 7 + k)];
                        // Patterns are float32: 1e-7 a factor.
                        compare(value, reached[static_cast<std::size_t>(q)][static_cast<std::size_t>(k)]);
                        all += value;
                    }
                    compare(all, 1);
                }
            }
        }
    }

    void rollout_of_heads_that_look_at_themselves_stays_put() {
        const World world{model(3, 2),
                          [](const std::string&, const Json& row) {
                              return pattern(2, length_of(row), [](int, int query, int key) {
                                  return query == key ? 1.0 : 0.0;
                              });
                          },
                          {},
                          {}};
        const auto values = run("attention-rollout", world, {}, rows_of({4})).numbers("rollout");
        for (std::size_t i = 0; i < values.size(); ++i)
            compare(values[i], i % 16 % 5 == 0 ? 1 : 0);
    }
};

QTEST_GUILESS_MAIN(TestPatterns)
#include "test_patterns.moc"
