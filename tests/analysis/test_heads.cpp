// Head metrics and generation lanes against closed forms.
#include <cmath>
#include <set>

#include <QtTest>

#include "tests/analysis/drive.h"

using namespace drive;

namespace {

// Head 0 looks back by one, head 1 at the key after the last copy, head 2 at the last copy; where there is
// none, at key 0.
Array ideal_heads(const std::string&, const Json& row) {
    const auto ids = row.at("ids").get<std::vector<int>>();
    const auto length = static_cast<int>(ids.size());
    const auto last_copy = [&](int query) {
        for (int key = query - 1; key >= 0; --key)
            if (ids[static_cast<std::size_t>(key)] == ids[static_cast<std::size_t>(query)]) return key;
        return -1;
    };
    return pattern(3, length, [&](int head, int query, int key) {
        const int copy = last_copy(query);
        const int target = head == 0 ? std::max(query - 1, 0) : copy < 0 ? 0 : head == 1 ? copy + 1 : copy;
        return key == target ? 1.0 : 0.0;
    });
}

// A generated query gives half to key 0, and the rest to keys 1 and the last alike.
Array generated_pattern(const Json& row) {
    const auto keys = static_cast<std::int64_t>(row.at("ids").size()) + row.at("step").get<std::int64_t>();
    Array array{{3, 1, keys}, std::vector<float>(static_cast<std::size_t>(3 * keys))};
    for (std::int64_t head = 0; head < 3; ++head) {
        const auto begin = static_cast<std::size_t>(head * keys);
        array.data[begin] = 0.5F;
        array.data[begin + 1] += 0.25F;
        array.data[begin + static_cast<std::size_t>(keys) - 1] += 0.25F;
    }
    return array;
}

// In even layers the lens has token 100 in the lead, in odd ones token 7.
Array generated_stream(const std::string& hook) {
    const int layer = std::stoi(hook.substr(7));
    return layer % 2 == 0 ? Array{{1, 4}, {1, 0, 0, 0}} : Array{{1, 4}, {0, 1, 0, 0}};
}

Array unembedding() {
    Array array{{4, 200}, std::vector<float>(800)};
    array.data[100] = 1;
    array.data[200 + 7] = 1;
    return array;
}

World world(int layers) {
    return {model(layers, 3),
            [](const std::string& hook, const Json& row) {
                if (hook.ends_with("hook_resid_post")) return generated_stream(hook);
                return row.contains("step") ? generated_pattern(row) : ideal_heads(hook, row);
            },
            {{"unembed.W_U", unembedding()}},
            [](const Json& generation, const Json& row) {
                Json steps = Json::array();
                const auto length = static_cast<int>(row.at("ids").size());
                const int count = std::min(generation.at("max_new").get<int>(), 6 - length % 2);
                std::vector<int> ids;
                for (int step = 0; step < count; ++step) {
                    ids.push_back(100 + step);
                    steps.push_back({{"pos", length + step},
                                     {"id", ids.back()},
                                     {"prob", 0.5},
                                     {"entropy", 1.0 + step},
                                     {"varentropy", 0.25},
                                     {"top1", 0.5},
                                     {"margin", 0.125}});
                }
                return Json{{"new_ids", ids}, {"stop", "length"}, {"steps", steps}};
            }};
}

} // namespace

class TestHeads : public QObject {
    Q_OBJECT
private slots:
    void ideal_heads_on_repeated_random_ids() {
        const Outcome outcome = run("head-metrics", world(1), {{"max_new", 0}}, Json::array());
        compare(outcome.numbers("previous")[0], 100.0 / 101);
        compare(outcome.numbers("induction")[1], 50.0 / 101); // 0.495
        compare(outcome.numbers("induction")[1], 0.495, 5e-4);
        compare(outcome.numbers("duplicate")[2], 50.0 / 101);
        compare(outcome.numbers("induction_rate")[1], 1.0);
        compare(outcome.numbers("duplicate_rate")[2], 1.0);
        compare(outcome.numbers("induction_rate")[2], 0.0);
        compare(outcome.numbers("self")[0], 1.0 / 101);
        compare(outcome.numbers("sink")[0], 2.0 / 101); // queries 0 and 1
        compare(outcome.numbers("distance")[0], 100.0 / 101);
        compare(outcome.numbers("sink")[1], 51.0 / 101);
        // Queries 0 to 50 look at 0, the others 49 back.
        compare(outcome.numbers("distance")[1], (50.0 * 51 / 2 + 50 * 49) / 101, 1e-4);
        for (const double mass : outcome.numbers("prompt_mass"))
            QVERIFY(std::isnan(mass));
    }

    void random_rows_are_bos_and_two_equal_halves() {
        const Json rows = run("head-metrics", world(1), {{"max_new", 0}, {"seed", 7}}, Json::array())
                              .find("rows")
                              .at("value");
        QCOMPARE(rows.size(), std::size_t{4});
        std::set<std::vector<int>> different;
        for (const Json& row : rows) {
            const auto ids = row.at("ids").get<std::vector<int>>();
            QCOMPARE(ids.size(), std::size_t{101});
            QCOMPARE(ids[0], 0);
            QVERIFY(std::equal(ids.begin() + 1, ids.begin() + 51, ids.begin() + 51));
            QCOMPARE(std::set<int>(ids.begin(), ids.end()).size(), std::size_t{51});
            different.insert(ids);
        }
        QCOMPARE(different.size(), std::size_t{4});
        const Json again = run("head-metrics", world(1), {{"max_new", 0}, {"seed", 7}}, Json::array())
                               .find("rows")
                               .at("value");
        QCOMPARE(again, rows);
        const Json other = run("head-metrics", world(1), {{"max_new", 0}, {"seed", 8}}, Json::array())
                               .find("rows")
                               .at("value");
        QVERIFY(other != rows);
    }

    void given_rows_with_and_without_repeats() {
        // Row 1 repeats nothing: it counts for the scores and not for the rates.
        const Json rows = Json::array({row({1, 2, 1, 1}), row({1, 2, 3})});
        const Outcome outcome = run("head-metrics", world(1), {{"max_new", 0}}, rows);
        // Queries 2 and 3 have copies: 0; then 0 and 2, whose next keys are 1 and 3.
        compare(outcome.numbers("induction")[1], (2.0 / 4 + 0.0) / 2);
        compare(outcome.numbers("induction_rate")[1], 1.0);
        compare(outcome.numbers("duplicate")[2], (2.0 / 4) / 2);
        QVERIFY(outcome.find("note").at("value").get<std::string>().find("leave out 1 rows") !=
                std::string::npos);
        const Outcome none = run("head-metrics", world(1), {{"max_new", 0}}, Json::array({row({1, 2, 3})}));
        for (const double rate : none.numbers("induction_rate"))
            QVERIFY(std::isnan(rate));
    }

    void prompt_mass_leaves_out_the_sink_and_what_is_generated() {
        const Outcome outcome =
            run("head-metrics", world(2), {{"max_new", 4}}, Json::array({row({1, 2, 3})}));
        for (const double mass : outcome.numbers("prompt_mass"))
            compare(mass, 0.25); // key 1; key 0 is the sink, the last key is generated
    }

    void mass_by_step_sums_to_one() {
        // Half on key 0, a quarter on key 1, a quarter on the generated key, in every head and at every step.
        const Outcome outcome =
            run("head-metrics", world(2), {{"max_new", 4}}, Json::array({row({1, 2, 3}), row({4, 5})}));
        const Json& by_step = outcome.find("prompt_mass_by_step");
        QCOMPARE(by_step.at("axes")[2].at("size").get<int>(), 3); // the first token is drawn at the prompt
        for (const double mass : outcome.numbers("prompt_mass_by_step"))
            compare(mass, 0.25);
        for (const double mass : outcome.numbers("sink_mass_by_step"))
            compare(mass, 0.5);
        const auto parts = outcome.numbers("mass_by_step");
        QCOMPARE(parts.size(), std::size_t{9});
        for (std::size_t step = 0; step < 3; ++step) {
            compare(parts[step], 0.25);
            compare(parts[3 + step], 0.5);
            compare(parts[6 + step], 0.25);
        }
    }

    void entropy_of_sharp_and_even_heads() {
        // One key each: 0. Uniform: the mean of ln 1 … ln T.
        for (const double entropy :
             run("head-metrics", world(1), {{"max_new", 0}}, Json::array()).numbers("entropy"))
            compare(entropy, 0.0);
        const World even{model(1, 1),
                         [](const std::string&, const Json& row) {
                             return pattern(1, static_cast<int>(row.at("ids").size()),
                                            [](int, int query, int) { return 1.0 / (query + 1); });
                         },
                         {},
                         {}};
        const Outcome outcome = run("head-metrics", even, {{"max_new", 0}}, Json::array({row({1, 2, 3, 4})}));
        compare(outcome.numbers("entropy").front(), std::log(24.0) / 4);
    }

    void heads_and_the_scatter_hold_what_the_maps_hold() {
        const Outcome outcome = run("head-metrics", world(2),
                                    {{"max_new", 0}, {"x", "previous"}, {"y", "prompt_mass"}}, Json::array());
        const Json& heads = outcome.find("all_heads").at("value");
        const Json& points = outcome.find("scatter").at("value");
        QCOMPARE(heads.size(), std::size_t{6});
        QCOMPARE(points.size(), std::size_t{6});
        for (std::size_t i = 0; i < 6; ++i) {
            QCOMPARE(heads[i].at("layer").get<int>(), static_cast<int>(i / 3));
            QCOMPARE(heads[i].at("head").get<int>(), static_cast<int>(i % 3));
            for (const char* name : {"previous", "duplicate", "induction", "self", "distance", "sink",
                                     "entropy", "induction_rate", "duplicate_rate"})
                QCOMPARE(heads[i].at(name).get<double>(), outcome.numbers(name)[i]);
            QVERIFY(heads[i].at("prompt_mass").is_null()); // nothing was generated
            QCOMPARE(points[i].size(), std::size_t{4});
            QCOMPARE(points[i].at("previous").get<double>(), outcome.numbers("previous")[i]);
        }
        const Outcome same = run("head-metrics", world(1), {{"x", "self"}, {"y", "self"}}, Json::array());
        QCOMPARE(same.error.at("code").get<std::string>(), std::string("usage"));
    }

    void what_does_not_fit_is_refused() {
        const auto code = [](const Json& parameters) {
            return run("head-metrics", world(1), parameters, Json::array())
                .error.at("code")
                .get<std::string>();
        };
        QCOMPARE(code({{"length", 512}}), std::string("out-of-range")); // context 1024
        QCOMPARE(code({{"length", 200}}), std::string("out-of-range")); // vocabulary 200, one of it BOS
    }

    void lanes_by_step_and_row() {
        const Outcome one = run("generation-lanes", world(2), {{"max_new", 5}}, Json::array({row({1, 2})}));
        QCOMPARE(one.find("ids").at("axes").size(), std::size_t{1});
        QVERIFY((one.numbers("ids") == std::vector<double>{100, 101, 102, 103, 104}));
        QVERIFY((one.numbers("entropy") == std::vector<double>{1, 2, 3, 4, 5}));
        for (const double mass : one.numbers("sink_mass"))
            compare(mass, 0.5);
        QCOMPARE(one.find("tokens").at("value")[4].at("position"), Json(6));

        // Five steps in the row of odd length, six in the other.
        const Outcome two =
            run("generation-lanes", world(1), Json(), Json::array({row({1, 2, 3}), row({1, 2})}));
        QCOMPARE(two.find("entropy").at("lengths"), Json({5, 6}));
        QVERIFY(std::isnan(two.numbers("entropy")[5]));
        compare(two.numbers("entropy")[11], 6.0);
    }

    void the_depth_at_which_a_token_leads() {
        const auto depth = [](int layers, const char* name) {
            return run("generation-lanes", world(layers), {{"max_new", 2}}, Json::array({row({1, 2})}))
                .numbers(name);
        };
        // Token 100 leads in layers 0 and 2 of three; of two layers it leads in the first and loses it again.
        compare(depth(3, "first_leads")[0], 0);
        compare(depth(3, "leads_from")[0], 2);
        compare(depth(2, "first_leads")[0], 0);
        QVERIFY(std::isnan(depth(2, "leads_from")[0]));
        QVERIFY(std::isnan(depth(3, "first_leads")[1])); // token 101 leads nowhere
        const Outcome without =
            run("generation-lanes", world(2), {{"depth", false}}, Json::array({row({1, 2})}));
        QVERIFY(without.needs.front().at("weights").empty());
        for (const Json& result : without.results)
            QVERIFY(result.at("name") != "first_leads");
    }

    void rolling_entropy_and_its_signal() {
        const Outcome outcome =
            run("generation-lanes", world(1), {{"max_new", 4}, {"window", 2}, {"threshold", 1.5}},
                Json::array({row({1, 2})}));
        QVERIFY((outcome.numbers("rolling_entropy") == std::vector<double>{1, 1.5, 2.5, 3.5}));
        QVERIFY((outcome.numbers("switch") == std::vector<double>{0, 0, 1, 1})); // strictly above
    }

    void entropy_of_chosen_heads_and_alternatives() {
        World made = world(2);
        const auto plain = made.generated;
        made.generated = [plain](const Json& generation, const Json& row) {
            Json out = plain(generation, row);
            for (Json& step : out["steps"])
                step["top"] = Json::array({{{"id", 5}, {"prob", 0.5}}, {{"id", 6}, {"prob", 0.25}}});
            return out;
        };
        const Outcome outcome =
            run("generation-lanes", made, {{"max_new", 2}, {"heads", {"L0H1", "L1H2"}}, {"alternatives", 2}},
                Json::array({row({1, 2})}));
        QCOMPARE(outcome.needs[0].at("generations")[0].at("top"), Json(2));
        const Json& result = outcome.find("head_entropy");
        QCOMPARE(result.at("axes")[0].at("labels"), Json({"L0H1", "L1H2"}));
        const auto entropy = outcome.numbers("head_entropy");
        QCOMPARE(entropy.size(), std::size_t{4});
        compare(entropy[0], std::log(2.0));                             // ½ and ¼ + ¼ on two keys
        compare(entropy[3], 0.5 * std::log(2.0) + 0.5 * std::log(4.0)); // ½, ¼, ¼
        const Json& others = outcome.find("alternatives").at("value");
        QCOMPARE(others.size(), std::size_t{4});
        QCOMPARE(others[3].at("step"), Json(1));
        QCOMPARE(others[3].at("rank"), Json(1));
        QCOMPARE(others[3].at("id"), Json(6));
    }

    void diversity_counts_tokens_and_pairs() {
        World made = world(1);
        const auto plain = made.generated;
        made.generated = [plain](const Json& generation, const Json& row) {
            Json out = plain(generation, row);
            for (std::size_t s = 0; s < out["steps"].size(); ++s)
                out["steps"][s]["id"] = out["new_ids"][s] = 100 + s % 2;
            return out;
        };
        const Outcome outcome = run("generation-lanes", made, {{"max_new", 4}}, Json::array({row({1, 2})}));
        const auto types = outcome.numbers("type_token_ratio"), pairs = outcome.numbers("distinct_n");
        compare(types[1], 1);
        compare(types[2], 2.0 / 3);
        compare(types[3], 0.5);
        QVERIFY(std::isnan(pairs[0]));
        compare(pairs[2], 1);
        compare(pairs[3], 2.0 / 3);
        const Json& whole = outcome.find("diversity").at("value")[0];
        compare(whole.at("distinct_2").get<double>(), 2.0 / 3);
        compare(whole.at("mean_entropy").get<double>(), 2.5);
    }

    void branches_and_given_texts_are_asked_for() {
        const auto asked = [](const Json& parameters) {
            return run("generation-lanes", world(1), parameters, Json::array({row({1, 2})}))
                .needs.at(0)
                .at("generations")[0];
        };
        const Json branch = asked({{"branch", {"3:17"}}, {"temperature", 0.5}, {"seed", 9}});
        QCOMPARE(branch.at("forced"), Json::array({Json::array({3, 17})}));
        QCOMPARE(branch.at("temperature"), Json(0.5));
        QCOMPARE(branch.at("seed"), Json(9));
        QVERIFY(branch.at("stop").get<bool>());
        const Json given = asked({{"continuation", {4, 5, 6}}});
        QCOMPARE(given.at("max_new"), Json(3));
        QCOMPARE(given.at("forced"), Json::array({{0, 4}, {1, 5}, {2, 6}}));
        QVERIFY(!given.at("stop").get<bool>()); // a given end-of-sequence token ends nothing
    }

    void each_wrong_parameter_has_its_sentence() {
        const auto refused = [](const Json& parameters) {
            const Json error =
                run("generation-lanes", world(2), parameters, Json::array({row({1, 2})})).error;
            return error.is_null() ? std::string() : error.at("message").get<std::string>();
        };
        const std::vector<std::pair<Json, std::string>> wrong = {
            {{{"heads", {"L9H0"}}}, "There is no head L9H0"},
            {{{"heads", {"third"}}}, "names no head"},
            {{{"branch", {"3"}}}, "is no branch"},
            {{{"branch", {"12:5"}}}, "step 12 lies outside the 12 steps"},
            {{{"branch", {"0:200"}}}, "There is no token 200"},
            {{{"continuation", {3}}, {"branch", {"0:1"}}}, "leave either it or the branch out"},
            {{{"continuation", Json::array()}}, "The continuation has no tokens"},
            {{{"top_p", 0}}, "top_p must lie above 0"}};
        for (const auto& [parameters, words] : wrong)
            QVERIFY2(refused(parameters).find(words) != std::string::npos,
                     (parameters.dump() + ": " + refused(parameters)).c_str());
    }

    void a_full_context_leaves_nothing_to_generate() {
        World made = world(1);
        made.model["context"] = 2;
        const Outcome outcome = run("generation-lanes", made, Json(), Json::array({row({1, 2})}));
        QCOMPARE(outcome.error.at("code").get<std::string>(), std::string("out-of-range"));
    }
};

QTEST_GUILESS_MAIN(TestHeads)
#include "test_heads.moc"
