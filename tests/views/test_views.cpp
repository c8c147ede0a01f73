// Selection and comparison, what counts as a sink, and how a search ranks.
#include <QSignalSpy>
#include <QtTest>
#include <cmath>

#include "tests/views/sample_run.h"
#include "views/analyses/difference.h"
#include "views/attention/attention_pictures.h"
#include "views/attention/find_heads.h"
#include "views/attention/sinks.h"
#include "views/inspector/inspector.h"
#include "views/next_tokens/next_tokens_view.h"
#include "views/shared/desk.h"
#include "views/shared/figure_source.h"

using namespace vitrine;
using namespace vitrine::views;

namespace {

figure::Matrix uniform(int size) {
    std::vector<float> values(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), 0.0F);
    for (int query = 0; query < size; ++query)
        for (int key = 0; key <= query; ++key)
            values[static_cast<std::size_t>(query * size + key)] = 1.0F / static_cast<float>(query + 1);
    return figure::make_matrix(size, size, std::move(values));
}

std::vector<std::string> words(int count) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i)
        out.push_back(" w" + std::to_string(i));
    return out;
}

} // namespace

class TestViews : public QObject {
    Q_OBJECT

private slots:
    void alpha_of_uniform_attention() {
        // H_64 / 64 = 0.0741 for the first key (METHODS, attention sinks).
        QVERIFY(std::abs(alpha_of(uniform(64))[0] - 0.0741) < 5e-5);
        const auto sinks = sink_columns(uniform(64));
        QVERIFY(std::find(sinks.begin(), sinks.end(), true) == sinks.end());
    }

    void all_mass_on_the_first_key_is_a_sink() {
        std::vector<float> values(20 * 20, 0.0F);
        for (int query = 0; query < 20; ++query)
            values[static_cast<std::size_t>(query * 20)] = 1.0F;
        const auto matrix = figure::make_matrix(20, 20, values);
        QCOMPARE(alpha_of(matrix)[0], 1.0);
        const auto sinks = sink_columns(matrix);
        QVERIFY(sinks[0] && !sinks[1]);
        QCOMPARE(mass_on(matrix, sinks), 1.0);
        // Columns that fewer than eight queries see never count: a token alone always attends to itself.
        std::vector<float> itself(20 * 20, 0.0F);
        for (int query = 0; query < 20; ++query)
            itself[static_cast<std::size_t>(query * 21)] = 1.0F;
        const auto diagonal = sink_columns(figure::make_matrix(20, 20, itself));
        QVERIFY(std::find(diagonal.begin(), diagonal.end(), true) == diagonal.end());
    }

    void rows_without_sinks_sum_to_one() {
        const RunPtr run = tests::sample_run(words(24));
        const auto pattern = run->pattern(1, 1);
        const auto sinks = sink_columns(pattern);
        QVERIFY(sinks[0]);
        const auto rest = without_columns(pattern, sinks);
        for (int query = 1; query < 24; ++query) {
            double sum = 0;
            for (int key = 1; key <= query; ++key)
                sum += rest.at(query, key);
            QVERIFY(std::abs(sum - 1) < 1e-5);
            // ratios among what is left stay
            const double ratio = pattern.at(query, 1) / pattern.at(query, query);
            QVERIFY(std::abs(rest.at(query, 1) / rest.at(query, query) - ratio) < 1e-4 * ratio);
        }
        QVERIFY(std::isnan(rest.at(5, 0)));
    }

    void entropy_of_a_row() {
        QVERIFY(std::abs(row_entropy(uniform(8), 7) - std::log(8.0)) < 1e-6);
        QCOMPARE(row_entropy(uniform(8), 0), 0.0);
    }

    void selection_stays_inside_and_remembers() {
        Selection selection;
        selection.set_bounds(4, 8, 10);
        QSignalSpy told(&selection, &Selection::changed);
        selection.set({9, 9, 99, 99});
        QCOMPARE(selection.place(), (Place{3, 7, 9, 9}));
        selection.set_query(5); // the key cannot lie behind the query
        QCOMPARE(selection.place(), (Place{3, 7, 5, 5}));
        selection.set_key(8); // and a key behind it takes the query along
        QCOMPARE(selection.place(), (Place{3, 7, 8, 8}));
        selection.move(-1, 1, 0, -3);
        QCOMPARE(selection.place(), (Place{2, 7, 8, 5}));
        QCOMPARE(told.count(), 4);
        selection.go_back();
        selection.go_back();
        QCOMPARE(selection.place(), (Place{3, 7, 5, 5}));
        selection.go_forward();
        QCOMPARE(selection.place(), (Place{3, 7, 8, 8}));
        selection.set_head(0, 0);
        QVERIFY(!selection.can_go_forward());
        selection.set_bounds(4, 8, 3);
        QCOMPARE(selection.place(), (Place{0, 0, 2, 2}));
    }

    void who_looks_at_the_end_stays_there() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        desk.set_a(tests::sample_run(words(9)));
        desk.selection.set_query(8);
        desk.set_a(tests::sample_run(words(12)));
        QCOMPARE(desk.selection.place().query, 11);
        desk.selection.set_query(4);
        desk.set_a(tests::sample_run(words(13)));
        QCOMPARE(desk.selection.place().query, 4);
    }

    void differences_need_equal_lengths() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        desk.set_a(tests::sample_run(words(9), 2, 2, 1));
        QVERIFY(desk.why_no_difference().contains("There is no B yet"));
        desk.set_pinned(tests::sample_run(words(10), 2, 2, 2));
        desk.set_side(Side::difference);
        QVERIFY(attention_data(desk).said_in_place.contains("A has 9 tokens and B has 10"));
        desk.set_pinned(tests::sample_run(words(9), 2, 2, 2));
        const AttentionData data = attention_data(desk);
        QVERIFY(data.said_in_place.isEmpty());
        const float a = desk.a()->pattern(1, 0).at(6, 3), b = desk.b()->pattern(1, 0).at(6, 3);
        QCOMPARE(data.pattern(1, 0).at(6, 3), a - b);
        QVERIFY(data.largest >= std::abs(a - b));
    }

    void probabilities_follow_from_logits() {
        const RunPtr run = tests::sample_run(words(9));
        const auto table = next_tokens_at(*run, 3, nullptr);
        QCOMPARE(table->rows.front().prob, std::exp(9.5 - 10.0));
        QCOMPARE(table->position, 3);
        QCOMPARE(table->after, QString("·w3"));
    }

    void interventions_bring_b_into_view_and_take_it_back() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        const RunPtr clean = tests::sample_run(words(9), 2, 2, 1),
                     edited = tests::sample_run(words(9), 2, 2, 2);
        desk.set_a(clean);
        desk.set_runs(clean, edited);
        QVERIFY(desk.side() == Side::b && desk.shown() == edited);
        desk.set_runs(clean, nullptr);
        QVERIFY(desk.side() == Side::a && !desk.b());
        // A pinned run stands back while there are interventions.
        const RunPtr pinned = tests::sample_run(words(9), 2, 2, 3);
        desk.set_pinned(pinned);
        desk.set_side(Side::difference);
        desk.set_runs(clean, edited);
        QVERIFY(desk.side() == Side::difference && desk.b() == edited);
        desk.set_runs(clean, nullptr);
        QVERIFY(desk.side() == Side::difference && desk.b() == pinned);
    }

    void the_inspector_compares() {
        const RunPtr run = tests::sample_run(words(24)), other = tests::sample_run(words(24), 4, 4, 7);
        const Place here{1, 1, 20, 3}, there{2, 0, 11, 0};
        const auto alone = facts_at(*run, here, nullptr, here);
        QCOMPARE(alone[0].value, figure::number(run->pattern(1, 1).at(20, 3)));
        QVERIFY(alone[0].other.isEmpty() && !alone[0].meaning.isEmpty());
        const auto two = facts_at(*run, here, other.get(), there);
        const double a = run->pattern(1, 1).at(20, 3), b = other->pattern(2, 0).at(11, 0);
        QCOMPARE(two[0].other, figure::number(b));
        QCOMPARE(two[0].difference, figure::number(a - b));
        QVERIFY(facts_at(*run, Place{9, 0, 0, 0}, nullptr, here).empty()); // no such head, no number
    }

    void differences_of_analyses() {
        engine::ResultValue a{"alpha", "matrix", {{"layer", 2, {}}, {"head", 1, {}}}, {0.5, 0.25}, {}, {}};
        engine::ResultValue b = a;
        b.data = {0.25, 0.75};
        const auto difference = difference_of({a}, {b});
        QVERIFY(difference.has_value());
        QCOMPARE(difference->front().name, std::string("alpha_difference"));
        QCOMPARE(difference->front().data, (std::vector<double>{0.25, -0.5}));
        b.axes[0].size = 3;
        b.data.push_back(0);
        QVERIFY(!difference_of({a}, {b}));
        QCOMPARE(difference_of({a}, {b}).error().code, Code::out_of_range);
        engine::ResultValue words_only{"note", "text", {}, {}, Json("x"), {}};
        QCOMPARE(difference_of({words_only}, {words_only}).error().code, Code::usage);
    }

    void heads_worth_a_look() {
        // "b x y z x": the head whose last query looks at "y", after the first "x", is the induction head.
        auto run = std::make_shared<ShownRun>(*tests::sample_run({"b", "x", "y", "z", "x"}, 1, 2));
        QVERIFY(!find_induction_head(*run)); // no token occurs twice
        run->tokens[4].id = run->tokens[1].id;
        auto longer = std::make_shared<Tensor>(Shape{2, 5, 5});
        for (int head = 0; head < 2; ++head)
            for (int query = 0; query < 5; ++query)
                for (int key = 0; key <= query; ++key)
                    longer->data[static_cast<std::size_t>((head * 5 + query) * 5 + key)] =
                        head == 1 && query == 4 ? (key == 2   ? 0.75F
                                                   : key == 4 ? 0.25F
                                                              : 0.0F)
                                                : (key == 0 ? 1.0F : 0.0F);
        run->patterns = {longer};
        const auto found = find_induction_head(*run);
        QVERIFY(found.has_value());
        QCOMPARE(found->place, (Place{0, 1, 4, 2}));
        QCOMPARE(found->weight, 0.75);
        const RunPtr sample = tests::sample_run(words(24));
        const auto sink = find_sink_head(*sample);
        QVERIFY(sink && sink->place.key == 0);
        QCOMPARE(sink->weight, alpha_of(sample->pattern(sink->place.layer, sink->place.head))[0]);
        QVERIFY(heads_with_sinks(*sample) > 0 && heads_with_sinks(*sample) < 16);
    }

    void a_set_of_heads() {
        HeadSet set;
        set.toggle(1, 2);
        set.toggle(0, 3);
        set.toggle(1, 1);
        set.toggle(0, 3);
        QCOMPARE(set.names(), QString("L1 H2, L1 H1"));
        QVERIFY(set.contains(1, 2) && !set.contains(0, 3));
        // Its mean is the large picture.
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        desk.set_a(tests::sample_run({"a", "b", "c", "d"}, 2, 4));
        AttentionOptions options;
        options.large = Large::set_mean;
        const AttentionData data = attention_data(desk);
        QVERIFY(head_picture(data, options, {}, HeadSet(), desk.theme())->said_in_place.contains("empty"));
        const auto mean = head_picture(data, options, {0, 0, 3, 1}, set, desk.theme());
        const float expected = (desk.a()->pattern(1, 2).at(3, 1) + desk.a()->pattern(1, 1).at(3, 1)) / 2;
        QVERIFY(std::abs(mean->values.at(3, 1) - expected) < 1e-6F);
        // Heads of a larger model leave it with that model.
        desk.heads.set_all({{1, 3}, {5, 0}});
        desk.set_a(tests::sample_run({"a", "b"}, 2, 4));
        QCOMPARE(desk.heads.all(), (std::vector<HeadSet::Head>{{1, 3}}));
    }

    void measures_of_an_analysis_take_the_place_of_attention() {
        Desk desk;
        desk.set_theme(figure::make_theme(false));
        desk.set_a(tests::sample_run({"a", "b", "c"}, 2, 4));
        QVERIFY(measured_data(desk, Measure::rollout, {}).said_in_place.size() > 0);
        engine::ResultValue rollout{"rollout", "stack", {}, {}, {}, {}};
        rollout.axes = {{"layer", 2, {}}, {"query", 3, {}}, {"key", 3, {}}};
        for (int i = 0; i < 18; ++i)
            rollout.data.push_back(i / 100.0);
        const AttentionData data = measured_data(desk, Measure::rollout, {rollout});
        QCOMPARE(data.said_in_place, QString());
        QCOMPARE(data.heads, 1);
        QCOMPARE(data.pattern(1, 3).at(2, 1), 0.16F); // any head: they are one
        const auto grid = grid_picture(data, {}, desk.theme());
        QVERIFY(grid->merged);
        engine::ResultValue score{"attention", "stack", {}, {}, {}, {}};
        score.axes = {{"layer", 2, {}}, {"head", 4, {}}, {"query", 3, {}}, {"key", 3, {}}};
        for (int i = 0; i < 72; ++i)
            score.data.push_back(i % 9 % 3 > i % 9 / 3 ? NAN : i - 40.0);
        const AttentionData scores = measured_data(desk, Measure::score, {score});
        QCOMPARE(scores.smallest, -40.0);
        QCOMPARE(scores.largest, 31.0);
        QCOMPARE(scores.pattern(1, 0).at(0, 0), -4.0F);
    }

    void the_command_names_the_interventions() {
        auto run = std::make_shared<ShownRun>(*tests::sample_run(words(3)));
        run->edits = {"L1H2 zero", "L0H1 row=0 from row=1"};
        run->beside = {5, 6, 7};
        QCOMPARE(
            capture_command(*run, "blocks.0.attn.hook_pattern"),
            QString("vitrine-cli run 'default' --ids 0,1,2 --positions all --ids 5,6,7 --edit 'L1H2 zero' "
                    "--edit 'L0H1 row=0 from row=1' --capture 'blocks.0.attn.hook_pattern' --out run.h5"));
    }

    void commands_survive_a_shell() {
        QCOMPARE(shell_word("it's"), QString("'it'\\''s'"));
        QVERIFY(as_python("vitrine-cli run 'a \"b\"'").contains("run 'a \\\"b\\\"' --json"));
        // A − B is two commands, each with its own result.
        const QString both =
            as_python("vitrine-cli analyze lens 'm' --ids 1\nvitrine-cli analyze lens 'm' --ids 2");
        QVERIFY(both.contains("--ids 1 --json") && both.contains("--ids 2 --json"));
        QVERIFY(both.contains("result_a = ") && both.contains("result_b = "));
        const RunPtr run = tests::sample_run({"a", "b"});
        QCOMPARE(analyze_command(*run, "lens", {3, 4}, {"L0H1 zero"}),
                 QString("vitrine-cli analyze lens 'default' --ids 3,4 --edit 'L0H1 zero'"));
    }
};

QTEST_MAIN(TestViews)
#include "test_views.moc"
