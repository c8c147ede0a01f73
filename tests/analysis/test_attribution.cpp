// Direct logit attribution on every family: parts must sum to the logit that the model itself gives, and
// must not depend on the coordinates in which they are written.
#include <cmath>
#include <filesystem>
#include <map>

#include <QtTest>
#include <fmt/format.h>

#include "core/model/folding.h"
#include "tests/analysis/analyse.h"

using namespace vitrine;
using test::Loaded;

namespace {

const Json rows = Json::array({{3, 17, 5, 40, 5, 11, 2}, {9, 8, 7}});

Json asked(Json parameters) {
    return {{"id", "direct-logit-attribution"}, {"parameters", std::move(parameters)}, {"rows", rows}};
}

std::vector<double> attribution(const Loaded& on, const Json& parameters) {
    const auto results = test::analyse(on, asked(parameters));
    if (!results) qFatal("%s", results.error().message.c_str());
    return test::result_of(*results, "attribution").data;
}

double size_of(const std::vector<double>& parts) {
    double largest = 1;
    for (const double part : parts)
        largest = std::max(largest, std::abs(part));
    return largest;
}

} // namespace

class TestAttribution : public QObject {
    Q_OBJECT
private slots:
    void initTestCase_data() {
        QTest::addColumn<QString>("folder");
        for (const auto& entry : std::filesystem::directory_iterator(test::fixture("families")))
            QTest::newRow(entry.path().filename().c_str())
                << QString::fromStdString("families/" + entry.path().filename().string());
    }

    void parts_sum_to_the_logit_data() {
        QTest::addColumn<QString>("split");
        QTest::addColumn<QString>("coordinates");
        for (const char* split : {"component", "head", "neuron"})
            for (const char* coordinates : {"raw", "folded"})
                QTest::addRow("%s, %s", split, coordinates) << QString(split) << QString(coordinates);
    }

    void parts_sum_to_the_logit() {
        QFETCH_GLOBAL(QString, folder);
        QFETCH(QString, split);
        QFETCH(QString, coordinates);
        const Loaded on(test::fixture(folder.toStdString()), "cpu");
        if (coordinates == "folded" && !model::Folding::possible(on.model->spec)) return;
        const auto results = test::analyse(on, asked({{"split", split.toStdString()},
                                                      {"coordinates", coordinates.toStdString()},
                                                      {"position", {-1, 1}},
                                                      {"token", {4, 9}},
                                                      {"minus", {30}}}));
        QVERIFY2(results, results ? "" : results.error().message.c_str());
        const double size = size_of(test::result_of(*results, "attribution").data);
        const double residual = test::result_of(*results, "residual").data.front();
        QVERIFY2(std::abs(residual) <= 1e-5 * size, fmt::format("{} of {}", residual, size).c_str());
        const Json& logits = test::result_of(*results, "logits").json;
        QCOMPARE(logits.size(), std::size_t{4});
        // The table's logits are those that a plain run returns.
        run::RunSpec spec;
        spec.rows.push_back({rows[0].get<std::vector<std::int32_t>>(), {}});
        spec.logits = true;
        const Tensor own = on.run(spec).rows.front().logits;
        const double expected = (static_cast<double>(own.data[4]) + static_cast<double>(own.data[9])) / 2 -
                                static_cast<double>(own.data[30]);
        QVERIFY(std::abs(logits[0]["logit"].get<double>() - expected) <=
                1e-5 * std::max(1.0, std::abs(expected)));
        const double cap = static_cast<double>(on.model->spec.logit_cap);
        QCOMPARE(logits[0].contains("before_cap"), cap != 0);
    }

    void neurons_make_up_their_mlp() {
        QFETCH_GLOBAL(QString, folder);
        const Loaded on(test::fixture(folder.toStdString()), "cpu");
        const auto results = test::analyse(on, asked({{"split", "neuron"}, {"token", {7}}, {"top", 100000}}));
        QVERIFY2(results, results ? "" : results.error().message.c_str());
        const auto& parts = test::result_of(*results, "attribution");
        std::map<std::pair<int, int>, double> sums; // by row and layer
        for (const Json& neuron : test::result_of(*results, "neurons").json)
            sums[{neuron["row"].get<int>(), neuron["layer"].get<int>()}] +=
                neuron["attribution"].get<double>();
        const auto& labels = parts.axes.back().labels;
        const double size = size_of(parts.data);
        for (const auto& [place, sum] : sums) {
            // The MLP's output bias is a part of it that no neuron has.
            if (on.model->find(fmt::format("blocks.{}.mlp.b_out", place.second)) != model::no_weight)
                continue;
            const auto at = static_cast<std::size_t>(
                std::find(labels.begin(), labels.end(), fmt::format("M{}", place.second)) - labels.begin());
            const double whole = parts.data[static_cast<std::size_t>(place.first) * labels.size() + at];
            // A norm with a bias behind the MLP would be another such part; no family has one.
            QVERIFY2(std::abs(sum - whole) <= 1e-5 * size, fmt::format("{} {}", sum, whole).c_str());
        }
        QCOMPARE(sums.size(), static_cast<std::size_t>(2 * on.model->spec.layers));
    }

    void a_difference_is_the_same_in_both_coordinates() {
        QFETCH_GLOBAL(QString, folder);
        const Loaded on(test::fixture(folder.toStdString()), "cpu");
        if (!model::Folding::possible(on.model->spec)) return;
        Json parameters{{"token", {4}}, {"minus", {9}}};
        const auto raw = attribution(on, parameters);
        parameters["coordinates"] = "folded";
        const auto folded = attribution(on, parameters);
        QCOMPARE(folded.size(), raw.size());
        const double size = size_of(raw);
        for (std::size_t i = 0; i < raw.size(); ++i)
            QVERIFY2(std::abs(raw[i] - folded[i]) <= 1e-5 * size,
                     fmt::format("{} {}", raw[i], folded[i]).c_str());
    }

    void what_is_not_there_is_refused() {
        QFETCH_GLOBAL(QString, folder);
        if (folder != "families/llama") return;
        const Loaded on(test::fixture(folder.toStdString()), "cpu");
        for (const Json& parameters :
             {Json({{"token", {4000}}}), Json({{"minus", {4000}}}), Json({{"position", 5}})}) {
            const auto results = test::analyse(on, asked(parameters));
            QVERIFY(!results);
            QCOMPARE(results.error().code, Code::out_of_range);
        }
    }
};

QTEST_GUILESS_MAIN(TestAttribution)
#include "test_attribution.moc"
