// Every built-in analysis on whole models, against plain numpy in float64 (tests/fixtures/analysis).
#include <cmath>
#include <filesystem>

#include <QtTest>
#include <fmt/format.h>

#include "core/base/json.h"
#include "tests/analysis/analyse.h"

using namespace vitrine;
using test::Loaded;

namespace {

const std::string fixtures = std::string(VITRINE_FIXTURES) + "/analysis/";

constexpr double limit = 1e-5;

double gap_of(double ours, double theirs, double size) {
    const double gap = std::abs(ours - theirs);
    return std::isnan(gap) ? INFINITY : gap / std::max({1.0, std::abs(theirs), size});
}

/// The largest |ours − theirs| / max(1, |theirs|) of two nested lists; infinite where they differ in shape.
/// Beside a number X of a table's line may stand X_from, the size of the numbers that X is a difference of.
/// These carry the roundings of float32 whatever is left of them: of each addition to the residual stream
/// one, `rounding` in all. Where that is more than the limit allows X itself, X is held to it instead.
double gap_of(const Json& ours, const Json& theirs, double rounding) {
    if (theirs.is_array()) {
        if (!ours.is_array() || ours.size() != theirs.size()) return INFINITY;
        double largest = 0;
        for (std::size_t i = 0; i < theirs.size(); ++i)
            largest = std::max(largest, gap_of(ours[i], theirs[i], rounding));
        return largest;
    }
    if (theirs.is_object()) { // a table's line: the members that are given
        double largest = 0;
        for (const auto& [name, value] : theirs.items()) {
            if (name.ends_with("_from")) continue;
            if (!ours.contains(name)) return INFINITY;
            const auto from = theirs.find(name + "_from");
            largest = std::max(largest, from == theirs.end() || !ours[name].is_number()
                                            ? gap_of(ours[name], value, rounding)
                                            : gap_of(ours[name].get<double>(), value.get<double>(),
                                                     from->get<double>() * rounding / limit));
        }
        return largest;
    }
    if (theirs.is_string()) return ours == theirs ? 0 : INFINITY;
    if (theirs.is_null()) return ours.is_null() ? 0 : INFINITY;
    if (!ours.is_number()) return INFINITY;
    return gap_of(ours.get<double>(), theirs.get<double>(), 0);
}

} // namespace

class TestGolden : public QObject {
    Q_OBJECT
private slots:
    void analyses_agree_with_numpy_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("device");
        for (const auto& entry : std::filesystem::directory_iterator(fixtures)) {
            const std::string name = entry.path().stem().string();
            if (!name.starts_with("golden-")) continue;
            for (const std::string& device : test::devices())
                QTest::newRow((name + " on " + device).c_str())
                    << QString::fromStdString(name.substr(7)) << QString::fromStdString(device);
        }
    }

    void analyses_agree_with_numpy() {
        QFETCH(QString, model);
        QFETCH(QString, device);
        // "llama-random.sinks": of that model, the analyses of sinks.
        const std::string name_of_model = model.toStdString().substr(0, model.toStdString().find('.'));
        const Loaded on(test::folder_of(name_of_model), device.toStdString());
        const auto golden = read_json(fixtures + "golden-" + model.toStdString() + ".json");
        QVERIFY(golden);
        // Attention and MLP of each layer add to the residual stream, to a relative 2⁻²⁴ each.
        const double rounding = 2 * on.model->spec.layers * std::ldexp(1, -24);
        double largest = 0;
        std::string where;
        for (const Json& check : *golden) {
            const auto results = test::analyse(on, check);
            const std::string what =
                check.at("id").get<std::string>() + " " + dump_json(check.at("parameters"));
            QVERIFY2(results, results ? "" : (what + ": " + results.error().message).c_str());
            for (const auto& [name, expected] : check.at("results").items()) {
                const auto found =
                    std::find_if(results->begin(), results->end(),
                                 [&, &name = name](const auto& result) { return result.name == name; });
                QVERIFY2(found != results->end(), (what + " gives no " + name).c_str());
                const double gap = gap_of(engine::data_to_json(*found), expected, rounding);
                QVERIFY2(gap <= limit, fmt::format("{} {}: {}", what, name, gap).c_str());
                if (gap > largest) {
                    largest = gap;
                    where = what + " " + name;
                }
            }
        }
        qInfo("largest difference %.2g, in %s", largest, where.c_str());
    }
};

QTEST_GUILESS_MAIN(TestGolden)
#include "test_golden.moc"
