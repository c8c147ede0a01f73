// Arrays that an analysis sends along, and edits that read them.
#include <QtTest>

#include "core/engine/analysis_host.h"
#include "core/sdk/analysis.h"
#include "tests/run/loaded.h"

using namespace vitrine;

namespace {

/// Asks for one run and gives its logits back.
class Probe : public sdk::Analysis {
public:
    static inline sdk::Run run;

    static sdk::Manifest manifest() {
        return sdk::Manifest("probe", "Probe").result("logits", "series", "at the last position");
    }
    sdk::Reply start(const sdk::Start& start) override {
        run.rows = start.rows;
        run.logits = true;
        sdk::Need need;
        need.runs = {run};
        return need;
    }
    sdk::Reply step(const sdk::Answer& answer) override {
        const sdk::View logits = answer.logits(0, 0)[0];
        auto series = sdk::ResultData::array("logits", "series", {{"token", logits.count()}});
        std::copy(logits.begin(), logits.end(), series.data.begin());
        return sdk::Done{{series}};
    }
};

class Bench {
public:
    const test::Loaded on{test::fixture("llama-random"), "cpu"};
    const std::vector<run::RunRow> rows = {{{0, 5, 9, 17, 3, 44}, {}}};
    std::vector<run::RunSpec> specs;

    Result<std::vector<double>> logits(const std::vector<std::string>& edits,
                                       const sdk::NamedArrays& arrays) {
        Probe::run.edits = edits;
        Probe::run.arrays = arrays;
        engine::AnalysisServices services;
        services.model = on.model.get();
        services.run = [&](const run::RunSpec& spec) {
            specs.push_back(spec);
            return run::run(*on.loaded, *on.model, spec, {}, {});
        };
        static const vitrine_analysis table = sdk::table_of<Probe>();
        const engine::RegisteredAnalysis analysis{&table, Json::parse(table.manifest)};
        VITRINE_ASSIGN(auto results, engine::run_analysis(analysis, Json::object(), rows, services, {}, {}));
        return std::move(results.front().data);
    }

    std::string refusal(const std::vector<std::string>& edits, const sdk::NamedArrays& arrays) {
        const auto result = logits(edits, arrays);
        return result ? "not refused" : result.error().message;
    }
};

std::shared_ptr<const sdk::ArrayData> array_of(const Tensor& tensor) {
    return std::make_shared<const sdk::ArrayData>(sdk::ArrayData{tensor.shape, tensor.data});
}

std::shared_ptr<const sdk::ArrayData> filled(std::vector<std::int64_t> shape, float value) {
    const auto count = static_cast<std::size_t>(element_count(shape));
    return std::make_shared<const sdk::ArrayData>(
        sdk::ArrayData{std::move(shape), std::vector<float>(count, value)});
}

} // namespace

class TestNamedArrays : public QObject {
    Q_OBJECT
private slots:
    void what_was_there_changes_nothing() {
        Bench bench;
        run::RunSpec spec;
        spec.rows = bench.rows;
        spec.captures = {"blocks.1.hook_resid_pre", "blocks.1.attn.hook_z"};
        const run::RunResult clean = bench.on.run(spec);
        const sdk::NamedArrays arrays = {
            {"residual", array_of(clean.rows[0].find("blocks.1.hook_resid_pre")->tensor)},
            {"z", array_of(clean.rows[0].find("blocks.1.attn.hook_z")->tensor)}};
        const auto before = bench.logits({}, {});
        const auto after = bench.logits({"blocks.1.hook_resid_pre set @residual", "L1H1 from @z"}, arrays);
        QVERIFY2(after, after ? "" : after.error().message.c_str());
        QCOMPARE(*after, *before);
    }

    void an_array_is_added_as_often_as_the_edit_says() {
        Bench bench;
        const auto d = static_cast<std::int64_t>(bench.on.model->spec.d_model);
        const auto by_number = bench.logits({"hook_embed add 0.75"}, {});
        const auto by_array = bench.logits({"hook_embed add 0.5*@v"}, {{"v", filled({d}, 1.5F)}});
        QVERIFY2(by_array, by_array ? "" : by_array.error().message.c_str());
        QCOMPARE(*by_array, *by_number);
        QVERIFY(*by_array != *bench.logits({}, {}));
    }

    void edits_share_an_array_and_the_spec_holds_it() {
        Bench bench;
        const auto d = static_cast<std::int64_t>(bench.on.model->spec.d_model);
        const std::vector<std::string> edits = {"hook_embed pos=1 set @v", "hook_embed pos=2 set @v"};
        QVERIFY(bench.logits(edits, {{"v", filled({d}, 1)}}));
        QVERIFY(bench.logits(edits, {{"v", filled({d}, 2)}}));
        QCOMPARE(bench.specs[0].edits[0].tensor, bench.specs[0].edits[1].tensor);
        QCOMPARE(bench.specs[0].edits[0].tensor->data.front(), 1.0F);
        QVERIFY(run::to_json(bench.specs[0]) != run::to_json(bench.specs[1]));
    }

    void what_is_wrong_is_said() {
        Bench bench;
        QCOMPARE(
            bench.refusal({"hook_embed set @v"}, {}),
            std::string("The analysis probe failed: the edit \"hook_embed set @v\" names an array that is "
                        "not sent."));
        const std::string shape = bench.refusal({"hook_embed set @v"}, {{"v", filled({3}, 1)}});
        QVERIFY2(shape.starts_with("The tensor v has shape [3], but hook_embed takes ["), shape.c_str());
        QVERIFY(bench.refusal({"hook_embed set @v"}, {{"v", filled({0}, 1)}}).ends_with("v is empty."));
        QVERIFY(bench.refusal({"hook_embed mean @v"}, {{"v", filled({3}, 1)}}).find("may not read prompts") !=
                std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestNamedArrays)
#include "test_named_arrays.moc"
