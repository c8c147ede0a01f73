// Analyses of causes on whole models: what must hold to the last bit, what is refused, and the heads that are
// known.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>

#include <QtTest>
#include <fmt/format.h>

#include "core/analysis/control_vectors.h"
#include "core/analysis/metric.h"
#include "core/analysis/statistics.h"
#include "core/analysis/sweep.h"
#include "core/base/json.h"
#include "core/engine/analysis_host.h"
#include "core/engine/analysis_parameters.h"
#include "tests/run/loaded.h"

using namespace vitrine;
using test::Loaded;

namespace {

using Ids = std::vector<std::int32_t>;

const Ids clean_ids = {0, 5, 9, 17, 3, 44}, corrupted_ids = {0, 5, 230, 17, 3, 44};

struct Bench {
    Loaded on;
    explicit Bench(const std::string& model = test::fixture("llama-random"),
                   const std::string& device = "cpu")
        : on(model, device) {}

    Result<std::vector<engine::ResultValue>> analyse(const std::string& id, const Json& given,
                                                     const std::vector<Ids>& prompts) const {
        engine::AnalysisServices services;
        services.model = on.model.get();
        services.bos = 0;
        services.run = [&](const run::RunSpec& spec) {
            return run::run(*on.loaded, *on.model, spec, {}, {});
        };
        VITRINE_ASSIGN(const auto* analysis, engine::find_analysis(id));
        VITRINE_ASSIGN(const Json parameters, engine::check_parameters(analysis->manifest, given, {}));
        std::vector<run::RunRow> rows;
        for (const Ids& ids : prompts)
            rows.push_back({ids, {}});
        return engine::run_analysis(*analysis, parameters, rows, services, {}, {});
    }

    std::vector<double> numbers(const std::string& id, const Json& given, const std::vector<Ids>& prompts,
                                const std::string& result = "effect") const {
        const auto results = analyse(id, given, prompts);
        if (!results) qFatal("%s", results.error().message.c_str());
        for (const auto& one : *results)
            if (one.name == result) return one.data;
        qFatal("%s gives no %s", id.c_str(), result.c_str());
    }

    std::string refusal(const std::string& id, const Json& given, const std::vector<Ids>& prompts) const {
        const auto results = analyse(id, given, prompts);
        return results ? "not refused" : results.error().message;
    }

    /// Logit difference 21 − 190 at the last position of one row by itself.
    double alone(const Ids& ids, const std::vector<run::EditSpec>& edits) const {
        run::RunSpec spec;
        spec.rows = {{ids, {}}};
        spec.edits = edits;
        spec.watch = {21, 190};
        const auto logits = on.run(spec).rows[0].positions.front().stats.watched;
        return static_cast<double>(logits[0]) - static_cast<double>(logits[1]);
    }
};

const Json answers = {{"answer", {21}}, {"distractor", {190}}};

Json with(Json parameters, const Json& more) {
    parameters.update(more);
    return parameters;
}

run::EditSpec edit(const std::string& text) {
    auto parsed = run::parse_edit(text);
    if (!parsed) qFatal("%s", parsed.error().message.c_str());
    return *parsed;
}

bool all_equal(const std::vector<double>& values, double wanted) {
    return std::all_of(values.begin(), values.end(), [&](double value) { return value == wanted; });
}

} // namespace

class TestEffects : public QObject {
    Q_OBJECT

    static void on_devices() {
        QTest::addColumn<QString>("device");
        for (const std::string& device : test::devices())
            QTest::newRow(device.c_str()) << QString::fromStdString(device);
    }
    static Bench on_device() {
        QFETCH(QString, device);
        return Bench(test::fixture("llama-random"), device.toStdString());
    }

private slots:
    void rows_of_an_ablation_are_runs_by_themselves_bit_for_bit_data() { on_devices(); }

    void rows_of_an_ablation_are_runs_by_themselves_bit_for_bit() {
        const Bench bench = on_device();
        const auto effects = bench.numbers("ablate", answers, {clean_ids});
        const double clean = bench.alone(clean_ids, {});
        for (int layer = 0; layer < 3; ++layer)
            for (int head = 0; head < 4; ++head) {
                const double by_itself =
                    bench.alone(clean_ids, {edit(fmt::format("L{}H{} zero", layer, head))}) - clean;
                QCOMPARE(effects[static_cast<std::size_t>(layer * 4 + head)], by_itself);
            }
    }

    void rows_of_a_patch_are_runs_by_themselves_bit_for_bit_data() { on_devices(); }

    void rows_of_a_patch_are_runs_by_themselves_bit_for_bit() {
        const Bench bench = on_device();
        const auto effects =
            bench.numbers("patch", with(answers, {{"site", "resid_mid"}}), {clean_ids, corrupted_ids});
        run::RunSpec spec;
        spec.rows = {{clean_ids, {}}};
        spec.captures = {"blocks.*.hook_resid_mid"};
        const run::RunResult clean = bench.on.run(spec);
        for (int layer = 0; layer < 3; ++layer)
            for (int pos = 0; pos < 6; ++pos) {
                const std::string hook = fmt::format("blocks.{}.hook_resid_mid", layer);
                run::EditSpec patch = edit(fmt::format("{} pos={} set @clean", hook, pos));
                patch.tensor = std::make_shared<const Tensor>(clean.rows[0].find(hook)->tensor);
                QCOMPARE(effects[static_cast<std::size_t>(layer * 6 + pos)],
                         bench.alone(corrupted_ids, {patch}));
            }
    }

    void restoring_what_differs_restores_the_clean_run_bit_for_bit_data() { on_devices(); }

    void restoring_what_differs_restores_the_clean_run_bit_for_bit() {
        const Bench bench = on_device();
        const std::vector<Ids> pair = {clean_ids, corrupted_ids};
        const auto effects = bench.numbers("patch", answers, pair);
        const double clean = bench.alone(clean_ids, {});
        QCOMPARE(effects[2], clean); // resid_pre of layer 0 at the token that differs
        QCOMPARE(bench.numbers("patch", answers, pair, "clean").front(), clean);
        QCOMPARE(bench.numbers("patch", answers, pair, "normalised")[2], 1.0);
        QCOMPARE(effects[1], bench.alone(corrupted_ids, {})); // a token that does not differ
        QCOMPARE(bench.numbers("patch", answers, pair, "normalised")[1], 0.0);
    }

    // A corrupted run whose every value of a kind is the clean run's is the clean run.
    void restoring_everything_restores_the_clean_run_bit_for_bit_data() {
        QTest::addColumn<QString>("device");
        QTest::addColumn<QStringList>("hooks");
        for (const std::string& device : test::devices())
            for (const char* hooks :
                 {"hook_embed", "blocks.0.hook_resid_pre", "blocks.1.hook_resid_mid",
                  "blocks.2.hook_resid_post", "hook_embed *hook_attn_out *hook_mlp_out",
                  "hook_embed *hook_z *hook_mlp_out", "hook_embed *hook_pattern *hook_v *hook_mlp_out",
                  "hook_embed *hook_q *hook_k *hook_v *hook_mlp_out"})
                QTest::addRow("%s on %s", hooks, device.c_str())
                    << QString::fromStdString(device) << QString(hooks).split(' ');
    }

    void restoring_everything_restores_the_clean_run_bit_for_bit() {
        QFETCH(QStringList, hooks);
        const Bench bench = on_device();
        run::RunSpec spec;
        spec.rows = {{clean_ids, {}}};
        spec.logits = true;
        for (const QString& hook : hooks)
            spec.captures.push_back(hook.toStdString());
        const run::RunResult clean = bench.on.run(spec);
        run::RunSpec restored;
        restored.rows = {{corrupted_ids, {}}};
        restored.logits = true;
        for (const auto& captured : clean.rows[0].captures) {
            run::EditSpec one = edit(captured.hook + " set @clean");
            one.tensor = std::make_shared<const Tensor>(captured.tensor);
            restored.edits.push_back(std::move(one));
        }
        QVERIFY(restored.edits.size() >= static_cast<std::size_t>(hooks.size()));
        QVERIFY(bench.on.run(restored).rows[0].logits.data == clean.rows[0].logits.data);
        restored.edits.clear();
        QVERIFY(bench.on.run(restored).rows[0].logits.data != clean.rows[0].logits.data);
    }

    void where_nothing_differs_nothing_happens() {
        const Bench bench;
        const std::vector<Ids> twice = {clean_ids, clean_ids};
        const double clean = bench.alone(clean_ids, {});
        for (const char* site : {"z", "k", "pattern"})
            QVERIFY(all_equal(bench.numbers("patch", with(answers, {{"site", site}}), twice), clean));
        const auto ratios = bench.numbers("patch", answers, twice, "normalised");
        QVERIFY(std::all_of(ratios.begin(), ratios.end(), [](double ratio) { return std::isnan(ratio); }));
        QVERIFY(all_equal(bench.numbers("path-patch", answers, twice), 0));
        QVERIFY(all_equal(bench.numbers("path-patch", answers, twice, "mlps"), 0));
        QVERIFY(all_equal(bench.numbers("path-patch", answers, twice, "control"), 0));
        const auto to_head = bench.numbers("path-patch", with(answers, {{"receiver", {"L2H1:k"}}}), twice);
        QVERIFY(all_equal({to_head.begin(), to_head.begin() + 8}, 0));
        QVERIFY(std::isnan(to_head[8])); // behind the receiver
        QVERIFY(all_equal(bench.numbers("causal-trace", answers, twice), 0));
        const Json noise = {
            {"answer", {21}}, {"corruption", "noise"}, {"span", {1, 2}}, {"sigma", 0}, {"draws", 2}};
        QVERIFY(all_equal(bench.numbers("causal-trace", noise, {clean_ids}), 0));
        // The mean over one token is that token.
        const Json mean = {{"kind", "mean"}, {"metric", "kl"}};
        QVERIFY(all_equal(bench.numbers("ablate", mean, {{7}}), 0));
    }

    void resampled_values_are_those_of_the_text_that_is_named() {
        const Bench bench;
        const std::vector<Ids> prompts = {clean_ids, {7, 8, 31, 10, 11, 99, 5}, {3, 1, 4, 1, 5, 9, 2}};
        const auto results = bench.analyse(
            "ablate", with(answers, {{"kind", "resample"}, {"seed", 5}, {"draws", 0}, {"unrelated", 0}}),
            prompts);
        QVERIFY(results);
        const auto named = [&](const char* name) {
            return *std::find_if(results->begin(), results->end(),
                                 [&](const auto& result) { return result.name == name; });
        };
        const Json taken = named("resampled").json;
        QCOMPARE(taken.size(), std::size_t{3});
        const std::string hook = "blocks.1.attn.hook_z";
        double effect = 0;
        for (std::size_t prompt = 0; prompt < 3; ++prompt) {
            const auto reference = taken[prompt]["reference"].get<std::size_t>();
            QVERIFY(reference != prompt && taken[prompt]["prompt"] == prompt);
            run::RunSpec spec;
            spec.rows = {{prompts[reference], {}}};
            spec.captures = {hook};
            run::EditSpec set = edit(hook + " head=2 set @text");
            set.tensor = std::make_shared<const Tensor>(bench.on.run(spec).rows[0].find(hook)->tensor);
            effect += bench.alone(prompts[prompt], {set}) - bench.alone(prompts[prompt], {});
        }
        QVERIFY(std::abs(named("effect").data[1 * 4 + 2] - effect / 3) < 1e-12);
        const auto means = bench.analyse("ablate", with(answers, {{"kind", "mean"}}), prompts);
        QVERIFY(means);
        for (const auto& result : *means)
            QVERIFY(result.name != "resampled");
    }

    void rows_go_out_by_layer_in_as_many_runs_as_fit() {
        sdk::Start start;
        start.model.vocab = 8;
        start.parameters = {{"metric", "logit"}, {"answer", {3}}, {"distractor", nullptr}, {"position", -1}};
        const sdk::Row row{{1, 2}, {}, {}};
        analysis::Metric metric;
        QVERIFY(!metric.read(start, {row}));
        std::vector<analysis::SweepItem> items;
        for (const int layer : {2, 0, 1, 0})
            items.push_back({0, layer, {{"h" + std::to_string(layer), "zero"}}});
        analysis::Sweep sweep(start.model, metric, 0, {{row, 0}}, items);
        sweep.capture({}, std::int64_t{64 << 20} / 4, {}); // three rows a run and some numbers over
        std::vector<std::vector<std::string>> edits;
        int made = 0;
        while (!sweep.done()) {
            const sdk::Run run = sweep.run();
            edits.push_back(run.edits);
            QCOMPARE(run.positions, Json({1}));
            QCOMPARE(run.watch, std::vector<std::int32_t>{3});
            Json answer; // the logit of each row is its number over all runs
            for (std::size_t r = 0; r < run.rows.size(); ++r)
                answer["runs"][0]["rows"][r]["positions"][0]["watched"][0] = r == 0 ? 100 : made++;
            sweep.take(sdk::Answer(answer, {nullptr, nullptr, 0}));
        }
        const std::vector<std::vector<std::string>> wanted = {{"h0 row=1 zero", "h0 row=2 zero"},
                                                              {"h1 row=1 zero", "h2 row=2 zero"}};
        QCOMPARE(edits, wanted);
        QCOMPARE(sweep.bases(), std::vector<double>{100});
        QCOMPARE(sweep.values(), (std::vector<double>{3, 0, 2, 1}));
    }

    void a_control_has_the_norm_of_the_change() {
        std::mt19937_64 random(3);
        sdk::ArrayData change{{2, 3, 4}, std::vector<float>(24)};
        for (std::size_t i = 0; i < 24; ++i)
            change.data[i] = i < 4 ? 0.0F : static_cast<float>(i) - 9;
        const auto norm = [](const sdk::ArrayData& array, std::size_t begin, std::size_t end) {
            double sum = 0;
            for (std::size_t i = begin; i < end; ++i)
                sum += static_cast<double>(array.data[i]) * static_cast<double>(array.data[i]);
            return std::sqrt(sum);
        };
        const auto by_head = analysis::random_of_equal_norm(change, 4, false, random);
        for (std::size_t begin = 0; begin < 24; begin += 4)
            QVERIFY(std::abs(norm(by_head, begin, begin + 4) - norm(change, begin, begin + 4)) < 1e-5);
        QVERIFY(by_head.data != analysis::random_of_equal_norm(change, 4, false, random).data);
        // A pattern of 2 heads, 3 queries, 3 keys: what a query cannot see stays 0.
        sdk::ArrayData pattern{{2, 3, 3}, {1, 0, 0, .5, -.5, 0, 1, 2, 3, 2, 0, 0, 1, 1, 0, 0, 1, 0}};
        const auto causal = analysis::random_of_equal_norm(pattern, 3, true, random);
        for (const std::size_t hidden : {1, 2, 5, 10, 11, 14})
            QCOMPARE(causal.data[hidden], 0.0F);
        for (std::size_t begin = 0; begin < 18; begin += 3)
            QVERIFY(std::abs(norm(causal, begin, begin + 3) - norm(pattern, begin, begin + 3)) < 1e-6);
    }

    // The model card of vitrine-tiny names them: induction L5H0 and L5H2, previous token L4H3, duplicate
    // L3H3.
    void the_induction_heads_are_found() {
        const Bench bench(std::string(VITRINE_RESOURCES) + "/models/vitrine-tiny");
        const Ids once = {2851, 1346, 3338, 1768, 3557, 3128, 3746, 3330, 2970, 2471, 418,  3742, 2207,
                          3478, 1320, 2958, 512,  3990, 942,  763,  1822, 2221, 3857, 1309, 1859};
        Ids twice = {0};
        twice.insert(twice.end(), once.begin(), once.end());
        twice.insert(twice.end(), once.begin(), once.end() - 1);
        const Json parameters = {
            {"metric", "prob"}, {"answer", {once.back()}}, {"draws", 0}, {"unrelated", 0}};
        const auto effects = bench.numbers("ablate", parameters, {twice});
        std::vector<std::size_t> order(effects.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return effects[a] < effects[b]; });
        const std::set<std::size_t> found(order.begin(), order.begin() + 4);
        QCOMPARE(found, (std::set<std::size_t>{5 * 8 + 0, 5 * 8 + 2, 4 * 8 + 3, 3 * 8 + 3}));
        QVERIFY(effects[order[3]] < -0.1);
    }

    // "Then , Fred and Hans went to the office . Fred gave a small ring to": the second name is what differs,
    // and what it says moves to the end between layers 4 and 6, through L4H1 and L5H5.
    void the_indirect_object_is_followed() {
        const Bench bench(std::string(VITRINE_RESOURCES) + "/models/vitrine-tiny");
        const std::vector<Ids> pair = {
            {0, 1915, 1887, 3832, 282, 3789, 721, 279, 265, 679, 598, 1068, 3832, 1166, 261, 1282, 2796, 279},
            {0, 1915, 1887, 3832, 282, 3789, 721, 279, 265, 679, 598, 1068, 3789, 1166, 261, 1282, 2796,
             279}};
        const Json parameters = {{"answer", {3789}}, {"distractor", {3832}}, {"draws", 0}};
        const auto residual = bench.numbers("patch", parameters, pair, "normalised");
        const auto length = pair.front().size();
        const auto at = [&](std::size_t layer, std::size_t pos) { return residual[layer * length + pos]; };
        QVERIFY(std::abs(at(0, 12) - 1) < 1e-6 && std::abs(at(3, 12) - 1) < 0.01);
        QVERIFY(at(7, 12) < 0.01 && at(6, 17) > 0.99 && at(2, 17) < 0.01);
        const auto z = bench.numbers("patch", with(parameters, {{"site", "z"}, {"axes", "layer,head"}}), pair,
                                     "normalised");
        const auto paths = bench.numbers("path-patch", parameters, pair);
        for (const std::size_t head : {4 * 8 + 1, 5 * 8 + 5}) {
            QVERIFY(std::count_if(z.begin(), z.end(), [&](double other) { return other > z[head]; }) < 2);
            QVERIFY(std::count_if(paths.begin(), paths.end(),
                                  [&](double other) { return other < paths[head]; }) < 2);
        }
    }

    void what_is_missing_or_wrong_is_said() {
        const Bench bench;
        QCOMPARE(
            bench.refusal("ablate", {}, {clean_ids}),
            std::string("metric=logit-diff needs to know the answer of the row: set answer=TOKEN, or give "
                        "the row a field \"answer\"."));
        QCOMPARE(
            bench.refusal("ablate", {{"answer", {1}}}, {clean_ids, corrupted_ids}),
            std::string("metric=logit-diff needs to know the distractor of row 0: set distractor=TOKEN, or "
                        "give the row a field \"distractor\"."));
        const auto says = [&](const std::string& id, const Json& given, const std::vector<Ids>& rows,
                              const std::string& words) {
            const std::string refusal = bench.refusal(id, given, rows);
            QVERIFY2(refusal.find(words) != std::string::npos, refusal.c_str());
        };
        says("ablate", {{"site", "features"}}, {clean_ids}, "needs a dictionary");
        says("ablate", with(answers, {{"layer", 3}}), {clean_ids}, "the model has 3");
        says("ablate", with(answers, {{"position", 6}}), {clean_ids}, "lies outside the row");
        says("ablate", {{"metric", "prob"}, {"answer", {300}}}, {clean_ids}, "There is no token 300");
        says("ablate", {{"metric", "loss"}}, {{4}}, "at least two tokens");
        says("ablate", with(answers, {{"kind", "resample"}}), {clean_ids}, "another text");
        says("patch", answers, {clean_ids}, "there is 1 row: give the other");
        says("patch", answers, {clean_ids, {0, 5}}, "a pair of 6 and 2 tokens");
        says("patch", with(answers, {{"axes", "layer,head"}}), {clean_ids, corrupted_ids}, "has no heads");
        says("patch", with(answers, {{"site", "z"}, {"axes", "pos,head"}}), {clean_ids, corrupted_ids},
             "say which by layer=N");
        says("patch", answers, {clean_ids, corrupted_ids, {0, 1}, {0, 2}}, "no positions in common");
        says("path-patch", with(answers, {{"receiver", {"L9H0:q"}}}), {clean_ids, corrupted_ids},
             "is not there");
        says("path-patch", with(answers, {{"receiver", {"H0"}}}), {clean_ids, corrupted_ids}, "is not there");
        says("path-patch", with(answers, {{"receiver", {"L0H0:q"}}}), {clean_ids, corrupted_ids},
             "Nothing comes before");
        says("causal-trace", {{"answer", {1}}, {"corruption", "noise"}}, {clean_ids}, "give span=");
    }

    void ranks() {
        QCOMPARE(analysis::spearman({1, 2, 3, 4}, {10, 20, 30, 400}), 1.0);
        QCOMPARE(analysis::spearman({1, 2, 3, 4}, {4, 3, 2, 1}), -1.0);
        // Ranks 0, 1.5, 1.5, 3 and 0, 1, 2, 3: 4.5/√(4.5 · 5).
        QVERIFY(std::abs(analysis::spearman({1, 2, 2, 9}, {1, 2, 3, 4}) - 4.5 / std::sqrt(22.5)) < 1e-15);
        QVERIFY(std::isnan(analysis::spearman({1, 1, 1}, {1, 2, 3})));
        QVERIFY(std::isnan(analysis::deviation_of({1})));
        QCOMPARE(analysis::deviation_of({1, 3}), std::sqrt(2.0));
    }
};

QTEST_GUILESS_MAIN(TestEffects)
#include "test_effects.moc"
