// One head's pattern, made after a run, against the pattern that the run captures.
#include <cstring>

#include <QtTest>

#include "core/engine/head_captures.h"
#include "tests/run/loaded.h"

using namespace vitrine;
using engine::HeadCaptures;
using test::Loaded;

namespace {

run::RunSpec spec_of(std::vector<std::string> captures) {
    run::RunSpec spec;
    for (const int length : {21, 34}) {
        run::RunRow row;
        for (int i = 0; i < length; ++i)
            row.ids.push_back((7 * i + length) % 50);
        spec.rows.push_back(row);
    }
    spec.captures = std::move(captures);
    return spec;
}

} // namespace

class TestHeadCaptures : public QObject {
    Q_OBJECT
private slots:
    void one_head_has_the_bits_of_all_data() {
        QTest::addColumn<QString>("what");
        QTest::addColumn<QString>("attention");
        for (const char* what : {"pattern", "attn_scores"}) {
            QTest::addRow("%s, all keys", what) << QString(what) << QString();
            QTest::addRow("%s, a cache of sinks", what) << QString(what) << "window=9 sinks=2 reindexed";
        }
    }
    void one_head_has_the_bits_of_all() {
        QFETCH(QString, what);
        QFETCH(QString, attention);
        const Loaded model(test::fixture("families/gemma2"), "cpu");
        const std::string hook = "blocks.1.attn.hook_" + what.toStdString();
        run::RunSpec plain = spec_of({hook}), spec = spec_of({hook + "@2", "blocks.1.attn.hook_v"});
        plain.attention = spec.attention = *run::parse_policy(attention.toStdString());
        const run::RunResult whole = model.run(plain);
        const auto heads = HeadCaptures::take(model.model->spec, spec);
        QVERIFY(heads.has_value());
        run::RunResult result = model.run(spec);
        QVERIFY(heads->fill(model.model->spec, result, {}).has_value());
        for (std::size_t row = 0; row < 2; ++row) {
            QVERIFY(result.rows[row].find("blocks.1.attn.hook_v") != nullptr);
            const auto* made = result.rows[row].find(hook + "@2");
            QVERIFY(made != nullptr);
            const Tensor& all = whole.rows[row].find(hook)->tensor;
            const std::int64_t size = all.shape[1];
            QCOMPARE(made->tensor.shape, (Shape{1, size, size}));
            QVERIFY(std::memcmp(made->tensor.data.data(), all.data.data() + 2 * size * size,
                                static_cast<std::size_t>(size * size) * sizeof(float)) == 0);
        }
    }

    void what_queries_and_keys_do_not_tell_is_refused() {
        const Loaded model(test::fixture("families/llama"), "cpu");
        run::RunSpec spec = spec_of({"blocks.1.attn.hook_pattern@0"});
        spec.edits = {*run::parse_edit("blocks.1.attn.hook_attn_scores key=0 mask")};
        const auto refused = HeadCaptures::take(model.model->spec, spec);
        QVERIFY(!refused && refused.error().code == Code::unsupported);
        spec.edits = {*run::parse_edit("blocks.0.attn.hook_attn_scores key=0 mask")};
        QVERIFY(HeadCaptures::take(model.model->spec, spec).has_value());
        for (const char* name : {"blocks.1.attn.hook_pattern@99", "blocks.9.attn.hook_pattern@0",
                                 "blocks.1.attn.hook_z@0", "blocks.1.attn.hook_pattern@x"}) {
            run::RunSpec wrong = spec_of({name});
            const auto none = HeadCaptures::take(model.model->spec, wrong);
            QVERIFY2(!none && none.error().code == Code::not_found, name);
        }
    }
};

QTEST_GUILESS_MAIN(TestHeadCaptures)
#include "test_head_captures.moc"
