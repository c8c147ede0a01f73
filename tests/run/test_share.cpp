// A sweep is one batch that computes what its rows have in common once. Each row's bits are those that it has
// when it runs alone with everything captured, for every family, whatever is edited where.
#include <QtTest>
#include <fmt/format.h>

#include "core/run/batch.h"
#include "tests/run/loaded.h"

using namespace vitrine;
using run::RunResult;
using run::RunSpec;
using test::Loaded;

namespace {

const std::string families = test::fixture("families");

run::EditSpec edit_of(const std::string& text) {
    auto edit = run::parse_edit(text);
    if (!edit) qFatal("%s", edit.error().message.c_str());
    return *edit;
}

/// Hooks that every family has, from the first layer to the last.
std::vector<std::string> edits_for(const model::ModelSpec& spec) {
    const int last = spec.layers - 1;
    std::vector<std::string> edits = {""};
    for (const int layer : {0, last}) {
        const std::string block = fmt::format("blocks.{}.", layer);
        for (const char* edit : {"attn.hook_z head=1 zero", "hook_attn_out pos=2 zero", "hook_mlp_out zero",
                                 "attn.hook_v pos=3:7 scale 0.5", "attn.hook_k pos=1 add 0.25",
                                 "attn.hook_q pos=4 channel=1 set 2", "attn.hook_pattern head=0 pos=5 zero",
                                 "attn.hook_attn_scores key=1 pos=2:7 mask", "mlp.hook_post channel=3 zero",
                                 "hook_resid_post pos=-1 scale 2"})
            edits.push_back(block + edit);
    }
    edits.push_back("hook_embed pos=2 zero");
    edits.push_back("blocks.0.hook_resid_pre pos=4 from row=0");
    edits.push_back("unembed.hook_in pos=-1 scale 3");
    return edits;
}

/// Rows that differ by an edit each; the first and every third have tokens of their own behind the fourth.
RunSpec sweep_of(const model::ModelSpec& model) {
    RunSpec spec;
    const std::vector<std::string> edits = edits_for(model);
    for (std::size_t row = 0; row < edits.size(); ++row) {
        std::vector<std::int32_t> ids = {5, 17, 2, 29, 3, 17, 2, 11, 8};
        if (row % 3 == 0) ids[4] = 23;
        if (row % 4 == 1) ids.resize(7);
        for (std::int32_t& id : ids)
            id %= model.vocab;
        spec.rows.push_back({ids, {}});
        if (edits[row].empty()) continue;
        auto edit = edit_of(edits[row]);
        edit.row = run::Selector::one(static_cast<int>(row));
        spec.edits.push_back(std::move(edit));
    }
    spec.loss = false;
    return spec;
}

/// One row of a sweep alone with everything captured, so that nothing is left out. What it takes from row 0
/// stands in its second row.
RunSpec alone(const RunSpec& sweep, std::size_t row) {
    RunSpec spec;
    spec.rows = {sweep.rows[row], sweep.rows[0]};
    spec.captures = {"*"};
    spec.choice = run::PositionChoice::all;
    spec.logits = true;
    for (run::EditSpec edit : sweep.edits) {
        if (indices(edit.row, 1000).front() != static_cast<int>(row)) continue;
        edit.row = run::Selector::one(0);
        if (edit.from_row >= 0) edit.from_row = 1;
        spec.edits.push_back(std::move(edit));
    }
    return spec;
}

/// Tokens that matrix products are made of, over all of a plan.
std::int64_t products(const run::Plan& plan) {
    std::int64_t rows = 0;
    for (const run::Op& op : plan.ops)
        if (const auto* linear = std::get_if<run::Linear>(&op))
            rows += plan.values[static_cast<std::size_t>(linear->out)].count;
    return rows;
}

run::BuiltPlan planned(const model::Model& model, const RunSpec& spec) {
    auto built = run::plan_run(model, spec);
    if (!built) qFatal("%s", built.error().message.c_str());
    return std::move(*built);
}

} // namespace

class TestShare : public QObject {
    Q_OBJECT

private slots:
    void every_row_has_its_bits_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("device");
        for (const QString& name :
             QDir(QString::fromStdString(families)).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
            for (const std::string& device : test::devices())
                QTest::newRow(fmt::format("{} on {}", name.toStdString(), device).c_str())
                    << name << QString::fromStdString(device);
    }
    void every_row_has_its_bits() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        const Loaded model(families + "/" + name.toStdString(), device.toStdString());
        RunSpec spec = sweep_of(model.model->spec);
        spec.logits = true;
        const RunResult sweep = model.run(spec);
        RunSpec watching = spec;
        watching.logits = false;
        watching.watch = {3, 1};
        const RunResult watched = model.run(watching);
        RunSpec captured = spec;
        captured.captures = {"*hook_resid_post", "*hook_pattern", "*hook_k"};
        captured.loss = true;
        const RunResult with_captures = model.run(captured);
        for (std::size_t row = 0; row < spec.rows.size(); ++row) {
            const RunResult one = model.run(alone(spec, row));
            const Tensor& all = one.rows[0].logits;
            const std::vector<float> last(all.data.end() - model.model->spec.vocab, all.data.end());
            const std::vector<float> swept(sweep.rows[row].logits.data.begin(),
                                           sweep.rows[row].logits.data.end());
            QVERIFY2(swept == last, fmt::format("row {}", row).c_str());
            QCOMPARE(watched.rows[row].positions[0].stats.watched, std::vector<float>({last[3], last[1]}));
            QCOMPARE(sweep.rows[row].positions[0].stats.entropy, one.rows[0].positions.back().stats.entropy);
            QCOMPARE(with_captures.rows[row].loss, one.rows[0].loss);
            for (const run::Captured& value : with_captures.rows[row].captures)
                QVERIFY2(value.tensor.data == one.rows[0].find(value.hook)->tensor.data,
                         fmt::format("row {}, {}", row, value.hook).c_str());
        }
    }

    void a_sweep_over_heads_costs_half() {
        const Loaded model(test::fixture("gpt2-random"), "cpu");
        const model::ModelSpec& m = model.model->spec;
        RunSpec spec;
        spec.loss = false;
        spec.rows.push_back({{1, 2, 3, 4, 5, 6, 7, 8}, {}});
        for (int layer = 0; layer < m.layers; ++layer)
            for (int head = 0; head < m.heads; ++head) {
                spec.edits.push_back(
                    edit_of(fmt::format("L{}H{} row={} zero", layer, head, spec.rows.size())));
                spec.rows.push_back(spec.rows.front());
            }
        // Rows enter at their layer: products of a layer see the rows of the layers before it, W_O, and the
        // MLP their own as well; the last layer's, the last token alone.
        std::int64_t expected = 0;
        for (int layer = 0; layer < m.layers; ++layer) {
            const bool last = layer == m.layers - 1;
            const std::int64_t before = 1 + layer * m.heads;
            const std::int64_t after = before + m.heads;
            const std::int64_t tokens = 8;
            expected += 2 * before * tokens + before * (last ? 1 : tokens); // k, v and q
            expected += 3 * after * (last ? 1 : tokens);                    // W_O and the MLP's two
        }
        const auto rows = static_cast<std::int64_t>(spec.rows.size());
        QCOMPARE(products(planned(*model.model, spec).plan), expected);
        QVERIFY(expected < rows * 8 * 6 * m.layers * 6 / 10);
    }

    void a_patch_costs_what_stands_behind_it() {
        const Loaded model(test::fixture("gpt2-random"), "cpu");
        const model::ModelSpec& m = model.model->spec;
        constexpr int tokens = 8;
        RunSpec spec;
        spec.loss = false;
        spec.rows.push_back({{1, 2, 3, 4, 5, 6, 7, 8}, {}});
        for (int pos = 0; pos < tokens; ++pos) {
            spec.edits.push_back(
                edit_of(fmt::format("blocks.0.hook_resid_pre row={} pos={} scale 2", spec.rows.size(), pos)));
            spec.rows.push_back(spec.rows.front());
        }
        std::int64_t expected = 0;
        const std::int64_t behind = tokens + tokens * (tokens + 1) / 2; // the plain row, and all behind edits
        for (int layer = 0; layer < m.layers; ++layer) {
            const bool last = layer == m.layers - 1;
            const std::int64_t in = layer == 0 ? 2 * tokens : behind;
            const std::int64_t out = last ? tokens + 1 : behind;
            expected += 2 * in + (last ? tokens + 1 : in) + 3 * out;
        }
        QCOMPARE(products(planned(*model.model, spec).plan), expected);
    }

    /// Rows that have nothing in common, and everything asked of them, cost no copies.
    void what_shares_nothing_stays_as_it_is() {
        const Loaded model(test::fixture("llama-random"), "cpu");
        RunSpec spec;
        spec.rows = {{{5, 17, 2, 99, 43, 17, 2}, {}}, {{7, 8, 9, 10}, {}}};
        spec.captures = {"*"};
        const run::BuiltPlan built = planned(*model.model, spec);
        QVERIFY(built.plan.parts.empty());
    }
};

QTEST_GUILESS_MAIN(TestShare)
#include "test_share.moc"
