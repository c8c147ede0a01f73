// Every family and variant (tests/fixtures/models/families) against transformers' float32, on every device:
// logits, losses, every hidden state, every attention pattern, greedy text with a cache of keys; both forms
// of the config.
#include <algorithm>
#include <cmath>

#include <QDir>
#include <QTemporaryDir>
#include <QtTest>
#include <fmt/format.h>

#include "core/run/generate.h"
#include "tests/run/loaded.h"
#include "tests/run/reference_file.h"

using namespace vitrine;
using test::hook;
using test::Loaded;
using test::Reference;
using test::share_of_band;

namespace {

const std::string fixtures = test::fixture("families");

std::string reference_of(const QString& name) {
    return fixtures + "/" + name.toStdString() + "/reference.npz";
}

/// −log p of an id in a row of logits, in float64.
double nll(const Tensor& logits, std::size_t row, std::size_t id) {
    const auto vocab = static_cast<std::size_t>(logits.shape[1]);
    double sum = 0;
    for (std::size_t i = 0; i < vocab; ++i)
        sum += std::exp(double{logits.data[row * vocab + i]});
    return std::log(sum) - double{logits.data[row * vocab + id]};
}

run::RunSpec everything(const std::vector<run::RunRow>& rows) {
    run::RunSpec spec;
    spec.rows = rows;
    spec.captures = {"*hook_resid_pre", "*hook_resid_post", "*hook_pattern", "*hook_attn_out",
                     "*hook_mlp_out"};
    spec.choice = run::PositionChoice::all;
    spec.logits = true;
    return spec;
}

/// The row of a tensor [heads, queries, keys] or [queries, width] that belongs to one query.
std::vector<float> at_query(const Tensor& tensor, std::int64_t query, std::int64_t keys) {
    std::vector<float> values;
    const bool pattern = tensor.shape.size() == 3;
    const std::int64_t width = tensor.shape.back();
    const std::int64_t queries = tensor.shape[tensor.shape.size() - 2];
    for (std::int64_t head = 0; head < (pattern ? tensor.shape[0] : 1); ++head) {
        const auto first = tensor.data.begin() + (head * queries + query) * width;
        values.insert(values.end(), first, first + (pattern ? keys : width));
    }
    return values;
}

} // namespace

class TestFamilies : public QObject {
    Q_OBJECT

    std::map<std::string, double> shares_; // worst of each fixture and device, for the report at the end

    static QStringList names() {
        return QDir(QString::fromStdString(fixtures)).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
    }

    static void rows(const QStringList& names) {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("device");
        for (const std::string& device : test::devices())
            for (const QString& name : names)
                QTest::newRow((name.toStdString() + " on " + device).c_str())
                    << name << QString::fromStdString(device);
    }

    void check(const std::string& what, const Tensor& ours, const Tensor& theirs) {
        const double share = share_of_band(ours, theirs);
        double& worst = shares_[QTest::currentDataTag()];
        worst = std::max(worst, share);
        QVERIFY2(share <= 1, fmt::format("{}: {} of the band", what, share).c_str());
    }

private slots:
    void initTestCase() { QVERIFY(names().size() >= 40); }

    void cleanupTestCase() {
        for (const auto& [tag, share] : shares_)
            fmt::print("{}: largest difference {:.3f} of the band\n", tag, share);
    }

    void forward_data() { rows(names()); }
    void forward() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        const Reference expected(reference_of(name));
        const Loaded model(fixtures + "/" + name.toStdString(), device.toStdString());
        const auto& facts = model.model->spec;
        const run::RunSpec spec = everything(expected.rows());
        QVERIFY(spec.rows.size() >= 2);
        const run::RunResult result = model.run(spec);
        for (std::size_t r = 0; r < spec.rows.size(); ++r) {
            const run::RowResult& row = result.rows[r];
            for (int layer = 0; layer < facts.layers; ++layer) {
                const std::string block = fmt::format("blocks.{}.", layer);
                const Tensor before = expected.tensor(fmt::format("row{}.hidden.{}", r, layer));
                const Tensor after = expected.tensor(fmt::format("row{}.hidden.{}", r, layer + 1));
                check(block + "hook_resid_pre", hook(row, block + "hook_resid_pre"), before);
                check(block + "hook_resid_post", hook(row, block + "hook_resid_post"), after);
                check(block + "hook_pattern", hook(row, block + "attn.hook_pattern"),
                      expected.tensor(fmt::format("row{}.pattern.{}", r, layer)));
                if (facts.norm_place == model::NormPlace::after_sum) continue;
                // What the branches are said to write is what the residual stream gains.
                Tensor sum = before;
                for (const char* branch : {"hook_attn_out", "hook_mlp_out"}) {
                    const Tensor written = hook(row, block + branch);
                    for (std::size_t i = 0; i < sum.data.size(); ++i)
                        sum.data[i] += written.data[i];
                }
                check(block + "sum of the branches", sum, after);
            }
            const Tensor logits = expected.tensor(fmt::format("row{}.logits", r));
            check("logits", row.logits, logits);
            const auto& ids = spec.rows[r].ids;
            for (std::size_t i = 1; i < ids.size(); ++i)
                QVERIFY(std::abs(nll(logits, i - 1, static_cast<std::size_t>(ids[i])) -
                                 double{row.token_nll[i]}) < 1e-3);
        }
    }

    void greedy_text_with_a_cache_data() { rows(names()); }
    void greedy_text_with_a_cache() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        const Reference expected(reference_of(name));
        const Loaded model(fixtures + "/" + name.toStdString(), device.toStdString());
        const std::string last = fmt::format("blocks.{}.", model.model->spec.layers - 1);
        const std::vector<std::string> captures{last + "hook_resid_post", last + "attn.hook_pattern"};
        run::GenerateSpec spec;
        spec.prompt.rows = expected.rows();
        spec.prompt.captures = captures;
        spec.max_new = 8;
        const auto result = run::generate(*model.loaded, *model.model, spec, {}, {}, {});
        QVERIFY2(result.has_value(), result ? "" : result.error().message.c_str());
        for (std::size_t r = 0; r < spec.prompt.rows.size(); ++r) {
            const auto& steps = result->rows[r].steps;
            QCOMPARE(result->rows[r].new_ids, expected.ids(fmt::format("row{}.generated", r)));
            // Each step as a whole run over the row so far sees its last token.
            run::RunSpec whole;
            whole.rows = {spec.prompt.rows[r]};
            whole.captures = captures;
            for (const auto& step : steps) {
                const run::RunResult full = model.run(whole);
                const auto keys = static_cast<std::int64_t>(whole.rows[0].ids.size());
                for (const std::string& capture : captures) {
                    const auto found = std::find_if(step.captures.begin(), step.captures.end(),
                                                    [&](const auto& c) { return c.hook == capture; });
                    QVERIFY(found != step.captures.end());
                    const std::vector<float> ours = at_query(found->tensor, 0, keys);
                    const std::vector<float> theirs = at_query(hook(full.rows[0], capture), keys - 1, keys);
                    const Shape shape{static_cast<std::int64_t>(theirs.size())};
                    QCOMPARE(ours.size(), theirs.size());
                    Tensor a(shape), b(shape);
                    a.data = ours;
                    b.data = theirs;
                    check(fmt::format("{} at {}", capture, step.pos), a, b);
                }
                whole.rows[0].ids.push_back(step.id);
            }
        }
    }

    void older_config_data() {
        QTest::addColumn<QString>("name");
        for (const QString& name : names())
            if (QFile::exists(QString::fromStdString(fixtures) + "/" + name + "/older.json"))
                QTest::newRow(name.toUtf8()) << name;
    }
    void older_config() {
        QFETCH(QString, name);
        const QString folder = QString::fromStdString(fixtures) + "/" + name;
        const QTemporaryDir aside;
        QVERIFY(QFile::copy(folder + "/older.json", aside.filePath("config.json")));
        QVERIFY(QFile::copy(folder + "/model.safetensors", aside.filePath("model.safetensors")));
        const Reference expected(reference_of(name));
        const Loaded model(aside.path().toStdString(), "cpu");
        const run::RunResult result = model.run(everything(expected.rows()));
        for (std::size_t r = 0; r < result.rows.size(); ++r)
            check("logits", result.rows[r].logits, expected.tensor(fmt::format("row{}.logits", r)));
    }

    // What a capture or an edit may not change, where the blocks differ most.
    void identities_data() {
        rows({"gemma2", "gpt_neox-parallel", "opt-projected", "cohere-qk_norm", "bloom", "granite"});
    }
    void identities() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        const Reference expected(reference_of(name));
        const Loaded model(fixtures + "/" + name.toStdString(), device.toStdString());
        run::RunSpec spec = everything(expected.rows());
        const run::RunResult plain = model.run(spec);
        run::RunSpec captured = spec;
        captured.captures = {"*", "*result*", "*_input", "*mlp_in"};
        const run::RunResult full = model.run(captured);
        for (std::size_t r = 0; r < spec.rows.size(); ++r)
            QCOMPARE(full.rows[r].logits.data, plain.rows[r].logits.data);

        // Every hook put back as it was: nothing changes; then changed at one token: something does.
        std::vector<std::string> hooks;
        for (const auto& capture : full.rows[0].captures)
            hooks.push_back(capture.hook);
        QVERIFY(hooks.size() > 20);
        for (const std::string& name : hooks) {
            if (name.find("hook_attn_scores") != std::string::npos) continue; // holds −inf
            const auto edited = [&](const char* change) {
                run::RunSpec one;
                one.rows = {spec.rows[1]};
                one.choice = run::PositionChoice::all;
                one.logits = true;
                auto edit = run::parse_edit(name + " " + change);
                if (!edit) qFatal("%s", edit.error().message.c_str());
                one.edits = {*edit};
                return model.run(one).rows[0].logits;
            };
            const double same = share_of_band(edited("scale 1"), plain.rows[1].logits);
            QVERIFY2(same < 0.5, fmt::format("{} scale 1: {} of the band", name, same).c_str());
            const bool pattern = name.find("hook_pattern") != std::string::npos;
            const double other = share_of_band(
                edited(pattern ? "pos=1 head=0 scale 0.5" : "pos=1 channel=0 add 3"), plain.rows[1].logits);
            QVERIFY2(other > 1, fmt::format("{} changed: {} of the band", name, other).c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestFamilies)
#include "test_families.moc"
