// Generation of several rows together: each as with any other company, whatever ends when.
#include <QtTest>

#include "core/run/generate.h"
#include "tests/run/loaded.h"

using namespace vitrine;
using namespace vitrine::test;

class TestGenerate : public QObject {
    Q_OBJECT

    static run::GenerateSpec spec_of(std::vector<std::vector<std::int32_t>> rows) {
        run::GenerateSpec spec;
        for (auto& ids : rows)
            spec.prompt.rows.push_back({std::move(ids), {}});
        spec.prompt.captures = {"blocks.0.attn.hook_pattern", "blocks.1.hook_resid_post"};
        spec.max_new = 10;
        return spec;
    }

    static run::GenerateResult made(const Loaded& model, const run::GenerateSpec& spec) {
        auto result = run::generate(*model.loaded, *model.model, spec, {}, {}, {});
        if (!result) qFatal("%s", result.error().message.c_str());
        return std::move(*result);
    }

    /// Whether two rows are the same to the last bit.
    static bool same(const run::GeneratedRow& a, const run::GeneratedRow& b) {
        if (a.new_ids != b.new_ids || a.stop != b.stop || a.steps.size() != b.steps.size()) return false;
        for (std::size_t i = 0; i < a.steps.size(); ++i) {
            const run::GenerateStep& x = a.steps[i];
            const run::GenerateStep& y = b.steps[i];
            if (x.pos != y.pos || x.prob != y.prob || x.entropy != y.entropy || x.margin != y.margin)
                return false;
            for (std::size_t c = 0; c < x.captures.size(); ++c)
                if (x.captures[c].tensor.data != y.captures[c].tensor.data) return false;
        }
        return true;
    }

    static void kinds() {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QString>("device");
        for (const std::string& device : test::devices())
            for (const char* name : {"llama-random", "gpt2-random"})
                QTest::addRow("%s on %s", name, device.c_str())
                    << QString::fromStdString(fixture(name)) << QString::fromStdString(device);
    }

private slots:
    void a_taken_token_changes_only_what_follows_data() { kinds(); }
    void a_taken_token_changes_only_what_follows() {
        QFETCH(QString, folder);
        QFETCH(QString, device);
        const Loaded model(folder.toStdString(), device.toStdString());
        run::GenerateSpec spec = spec_of({{5, 9, 2, 7}});
        spec.temperature = 1.5;
        spec.seed = 3;
        spec.alternatives = 4;
        const run::GenerateResult whole = made(model, spec);
        spec.forced = {{4, whole.rows[0].new_ids[4] == 8 ? 9 : 8}};
        const run::GenerateResult branch = made(model, spec);
        for (std::size_t i = 0; i < 4; ++i)
            QCOMPARE(branch.rows[0].new_ids[i], whole.rows[0].new_ids[i]);
        QCOMPARE(branch.rows[0].new_ids[4], spec.forced.at(4));
        const run::GenerateStep& taken = branch.rows[0].steps[4];
        QCOMPARE(taken.entropy, whole.rows[0].steps[4].entropy); // the distribution is the same
        QVERIFY(taken.prob != whole.rows[0].steps[4].prob);
        QCOMPARE(taken.top.size(), std::size_t{4});
        QCOMPARE(taken.top[0].prob, taken.top1);
        QVERIFY(std::abs(taken.top[0].prob - taken.top[1].prob - taken.margin) < 1e-15);
        QVERIFY(branch.rows[0].steps[5].entropy != whole.rows[0].steps[5].entropy);
        // The whole text given token by token: the same numbers at every step.
        for (std::size_t i = 0; i < branch.rows[0].new_ids.size(); ++i)
            spec.forced[static_cast<int>(i)] = branch.rows[0].new_ids[i];
        QVERIFY(same(made(model, spec).rows[0], branch.rows[0]));
        spec.forced = {{spec.max_new, 1}};
        QCOMPARE(run::generate(*model.loaded, *model.model, spec, {}, {}, {}).error().code,
                 Code::out_of_range);
    }

    void a_text_that_ends_before_its_branch_is_refused() {
        const Loaded model(fixture("llama-random"), "cpu");
        run::GenerateSpec spec = spec_of({{5, 9, 2, 7}});
        spec.stop_ids = {made(model, spec).rows[0].new_ids[0]}; // ends at once
        const run::GenerateResult ended = made(model, spec);
        QCOMPARE(ended.rows[0].stop, std::string("eos"));
        QCOMPARE(ended.rows[0].steps.size(), std::size_t{1});
        spec.forced = {{3, 1}};
        const auto refused = run::generate(*model.loaded, *model.model, spec, {}, {}, {});
        QCOMPARE(refused.error().code, Code::out_of_range);
        QVERIFY(refused.error().message.find("before the branch at step 3") != std::string::npos);
    }

    void company_changes_no_bits_data() { kinds(); }
    void company_changes_no_bits() {
        QFETCH(QString, folder);
        QFETCH(QString, device);
        const Loaded model(folder.toStdString(), device.toStdString());
        const std::vector<std::int32_t> a{5, 9, 2, 7}, b{1}, c{3, 3, 8, 4, 6, 2, 9, 1, 7, 5, 2};
        const auto all = made(model, spec_of({a, b, c}));
        QVERIFY(same(all.rows[0], made(model, spec_of({a, a})).rows[0]));
        QVERIFY(same(all.rows[2], made(model, spec_of({b, c})).rows[1]));
        // Alone, a row may be decoded by other routines: the same text, and numbers as near as rounding.
        const auto alone = made(model, spec_of({c}));
        QCOMPARE(alone.rows[0].new_ids, all.rows[2].new_ids);
        for (std::size_t i = 0; i < alone.rows[0].steps.size(); ++i)
            QVERIFY(std::abs(alone.rows[0].steps[i].prob - all.rows[2].steps[i].prob) < 1e-6);
    }

    void rows_end_when_they_end_data() { kinds(); }
    void rows_end_when_they_end() {
        QFETCH(QString, folder);
        QFETCH(QString, device);
        const Loaded model(folder.toStdString(), device.toStdString());
        run::GenerateSpec spec = spec_of({{5, 9, 2, 7}, {1}, {3, 3, 8, 4, 6}});
        const auto free = made(model, spec);
        // A token that one row meets in its middle ends it, and leaves the others as they were.
        const auto& first = free.rows[0].new_ids;
        spec.stop_ids = {first[3]};
        const auto stopped = made(model, spec);
        for (std::size_t row = 0; row < 3; ++row) {
            const auto& whole = free.rows[row].new_ids;
            const auto met = std::find(whole.begin(), whole.end(), spec.stop_ids[0]);
            const bool ends = met != whole.end();
            const std::vector<std::int32_t> expected(whole.begin(), ends ? met + 1 : met);
            QCOMPARE(stopped.rows[row].new_ids, expected);
            QCOMPARE(stopped.rows[row].stop, std::string(ends ? "eos" : "length"));
            for (std::size_t i = 0; i < expected.size(); ++i)
                QVERIFY(stopped.rows[row].steps[i].prob == free.rows[row].steps[i].prob);
        }
        QVERIFY(stopped.rows[0].new_ids.size() < 10);
    }

    void the_context_ends_a_row_and_not_its_company_data() { kinds(); }
    void the_context_ends_a_row_and_not_its_company() {
        QFETCH(QString, folder);
        QFETCH(QString, device);
        const Loaded model(folder.toStdString(), device.toStdString());
        const auto context = static_cast<std::size_t>(model.model->spec.context);
        const std::vector<std::int32_t> full(context, 3), nearly(context - 2, 4), brief{1, 2};
        const auto made_rows = made(model, spec_of({full, nearly, brief}));
        QCOMPARE(made_rows.rows[0].new_ids.size(), std::size_t{0});
        QCOMPARE(made_rows.rows[0].stop, std::string("length"));
        QCOMPARE(made_rows.rows[1].new_ids.size(), std::size_t{2});
        QCOMPARE(made_rows.rows[2].new_ids.size(), std::size_t{10});
        QVERIFY(same(made_rows.rows[2], made(model, spec_of({brief, brief})).rows[0]));
    }

    void samples_are_drawn_row_by_row() {
        const Loaded model(fixture("llama-random"), "cpu");
        run::GenerateSpec spec = spec_of({{1, 2}, {1, 2}, {1, 2}});
        spec.temperature = 2;
        spec.seed = 7;
        const auto drawn = made(model, spec);
        QVERIFY(drawn.rows[0].new_ids != drawn.rows[1].new_ids);
        spec.prompt.rows.pop_back();
        const auto fewer = made(model, spec);
        QVERIFY(same(drawn.rows[0], fewer.rows[0]) && same(drawn.rows[1], fewer.rows[1]));
    }
};

QTEST_GUILESS_MAIN(TestGenerate)
#include "test_generate.moc"
