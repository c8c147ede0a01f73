// Head metrics and generation lanes against closed forms.
#include <cmath>
#include <set>

#include <QtTest>

#include "tests/analysis/drive.h"

using namespace drive;

namespace {

void compare(double value, double expected, double within = 1e-6) {
    QVERIFY2(std::abs(value - expected) <= within,
             qPrintable(QString("%1 is not %2").arg(value, 0, 'g', 12).arg(expected, 0, 'g', 12)));
}

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

World world(int layers) {
    return {model(layers, 3),
            [](const std::string& hook, const Json& row) {
                return row.contains("step") ? generated_pattern(row) : ideal_heads(hook, row);
            },
            {},
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

    void a_full_context_leaves_nothing_to_generate() {
        World made = world(1);
        made.model["context"] = 2;
        const Outcome outcome = run("generation-lanes", made, Json(), Json::array({row({1, 2})}));
        QCOMPARE(outcome.error.at("code").get<std::string>(), std::string("out-of-range"));
    }
};

QTEST_GUILESS_MAIN(TestHeads)
#include "test_heads.moc"
