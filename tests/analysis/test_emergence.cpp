// Emergence over made-up checkpoints: what is known of each is found at its step.
#include <cmath>

#include <QtTest>

#include "tests/analysis/drive.h"

using namespace drive;

namespace {

// Checkpoint "sN": head 0 gives N tenths to key 0 and the rest to itself, head 1 nothing to key 0.
World training() {
    World world{model(2, 2),
                [](const std::string&, const Json& row) {
                    const std::string name = row.at("checkpoint").get<std::string>();
                    const double share = std::stod(name.substr(1)) / 10;
                    return pattern(2, static_cast<int>(row.at("ids").size()),
                                   [share](int head, int query, int key) {
                                       const double sink = head == 0 && query > 0 ? share : 0.0;
                                       return key == query ? 1 - sink : key == 0 ? sink : 0.0;
                                   });
                },
                {},
                {}};
    world.checkpoints = Json::array(
        {{{"name", "s1"}, {"step", 10}}, {{"name", "s4"}, {"step", 100}}, {{"name", "s9"}, {"step", 1000}}});
    world.loss = 2.5;
    return world;
}

} // namespace

class TestEmergence : public QObject {
    Q_OBJECT
private slots:
    void each_checkpoint_is_measured_at_its_step() {
        std::vector<int> ids(101);
        for (int i = 0; i < 101; ++i)
            ids[static_cast<std::size_t>(i)] = i;
        const Outcome outcome = run("emergence", training(), {{"metric", "sink"}}, Json::array({row(ids)}));
        const Json& axes = outcome.find("sink").at("axes");
        QCOMPARE(axes[2].at("name").get<std::string>(), std::string("training_step"));
        QCOMPARE(axes[2].at("labels"), Json({"10", "100", "1000"}));
        const auto sink = outcome.numbers("sink"); // layer, head, checkpoint
        QCOMPARE(sink.size(), std::size_t{12});
        const double shares[] = {0.1, 0.4, 0.9};
        for (std::size_t layer = 0; layer < 2; ++layer)
            for (std::size_t point = 0; point < 3; ++point) {
                // Query 0 looks at key 0, which is itself.
                compare(sink[layer * 6 + point], (1 + 100 * shares[point]) / 101);
                compare(sink[layer * 6 + 3 + point], 1.0 / 101);
            }
        const auto over = outcome.numbers("over_heads");
        compare(over[0], (sink[0] + 1.0 / 101) / 2);
        compare(over[5], sink[2]);
        const auto above = outcome.numbers("share_above"); // epsilon 0.3: heads 0 from the second on
        compare(above[0], 0);
        compare(above[1], 50);
        compare(above[2], 50);
        for (const double loss : outcome.numbers("loss"))
            compare(loss, 2.5);
        const Json& table = outcome.find("checkpoints").at("value");
        QCOMPARE(table[1], Json({{"checkpoint", "s4"}, {"step", 100}, {"weights_hash", "of s4"}}));
    }

    void every_need_names_its_checkpoint() {
        const Outcome outcome = run("emergence", training(), {}, Json::array());
        QCOMPARE(outcome.needs.size(), std::size_t{3});
        QCOMPARE(outcome.needs[0].at("checkpoint"), Json("s1"));
        QCOMPARE(outcome.needs[2].at("checkpoint"), Json("s9"));
        QCOMPARE(outcome.needs[0].at("runs"), outcome.needs[2].at("runs")); // the same rows
        QCOMPARE(outcome.find("rows").at("value").size(), std::size_t{4});
        QVERIFY(outcome.find("note").at("value").get<std::string>().starts_with("4 rows of BOS and 2 × 50"));
    }

    void rows_that_have_no_such_metric_are_refused() {
        const auto code = [](const Json& parameters, const Json& rows) {
            return run("emergence", training(), parameters, rows).error.at("code").get<std::string>();
        };
        QCOMPARE(code({}, Json::array({row({1, 2, 3})})), std::string("out-of-range")); // nothing repeats
        QCOMPARE(code({{"metric", "sink"}}, Json::array({row({1})})), std::string("out-of-range"));
        QCOMPARE(code({{"length", 512}}, Json::array()), std::string("out-of-range"));
    }
};

QTEST_GUILESS_MAIN(TestEmergence)
#include "test_emergence.moc"
