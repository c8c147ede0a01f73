// A steering vector against means of captures of runs by themselves.
#include <cmath>
#include <numeric>

#include <QtTest>

#include "tests/analysis/analyse.h"

using namespace vitrine;
using test::Loaded;

namespace {

using Ids = std::vector<std::int32_t>;
const std::vector<Ids> liked = {{0, 5, 9, 17}, {0, 5, 9, 30, 2}, {0, 7, 9, 40}},
                       disliked = {{0, 80, 90}, {0, 80, 95, 100, 60}};

struct Bench {
    Loaded on{test::folder_of("llama-random"), "cpu"};

    std::vector<double> at(const Ids& ids, int layer, bool mean) const {
        run::RunSpec spec;
        spec.rows = {{ids, {}}};
        spec.captures = {"blocks." + std::to_string(layer) + ".hook_resid_post"};
        const Tensor tensor = on.run(spec).rows[0].captures[0].tensor;
        const auto width = static_cast<std::size_t>(tensor.shape[1]);
        std::vector<double> out(width);
        for (std::size_t pos = mean ? 0 : ids.size() - 1; pos < ids.size(); ++pos)
            for (std::size_t i = 0; i < width; ++i)
                out[i] += static_cast<double>(tensor.data[pos * width + i]) /
                          (mean ? static_cast<double>(ids.size()) : 1.0);
        return out;
    }

    Result<std::vector<engine::ResultValue>> analyse(Json parameters) const {
        Json rows = Json::array();
        for (const Ids& ids : liked)
            rows.push_back(ids);
        Json against = Json::array();
        for (const Ids& ids : disliked)
            against.push_back({{"ids", ids}});
        if (!parameters.contains("against")) parameters["against"] = against;
        return test::analyse(on, {{"id", "steering-vector"}, {"parameters", parameters}, {"rows", rows}});
    }
};

std::vector<double> mean_of(const std::vector<std::vector<double>>& vectors) {
    std::vector<double> mean(vectors.front().size());
    for (const auto& vector : vectors)
        for (std::size_t i = 0; i < mean.size(); ++i)
            mean[i] += vector[i] / static_cast<double>(vectors.size());
    return mean;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// By definition: every text judged by the means of the others, without the one that stands against it.
double accuracy_of(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b) {
    double right = 0;
    const auto judge = [&](const std::vector<std::vector<double>>& own,
                           const std::vector<std::vector<double>>& other) {
        for (std::size_t i = 0; i < own.size(); ++i) {
            auto rest = own;
            rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
            auto against = other;
            against.erase(against.begin() + static_cast<std::ptrdiff_t>(i % other.size()));
            const auto mine = mean_of(rest), theirs = mean_of(against);
            double side = 0;
            for (std::size_t c = 0; c < mine.size(); ++c)
                side += (own[i][c] - (mine[c] + theirs[c]) / 2) * (mine[c] - theirs[c]);
            right += side > 0 ? 1 : 0;
        }
    };
    judge(a, b);
    judge(b, a);
    return right / static_cast<double>(a.size() + b.size());
}

} // namespace

class TestSteeringVector : public QObject {
    Q_OBJECT
private slots:
    void it_is_the_difference_of_means_data() {
        QTest::addColumn<bool>("mean");
        QTest::newRow("last token") << false;
        QTest::newRow("all tokens") << true;
    }
    void it_is_the_difference_of_means() {
        QFETCH(bool, mean);
        const Bench bench;
        const auto results = bench.analyse({{"layer", 1}, {"read", mean ? "mean" : "last"}});
        QVERIFY2(results.has_value(), results ? "" : results.error().message.c_str());
        for (int layer = 0; layer < 3; ++layer) {
            std::vector<std::vector<double>> a, b;
            for (const Ids& ids : liked)
                a.push_back(bench.at(ids, layer, mean));
            for (const Ids& ids : disliked)
                b.push_back(bench.at(ids, layer, mean));
            auto wanted = mean_of(a);
            const auto other = mean_of(b);
            for (std::size_t i = 0; i < wanted.size(); ++i)
                wanted[i] -= other[i];
            const auto at = static_cast<std::size_t>(layer);
            QVERIFY(std::abs(test::result_of(*results, "norm").data[at] - std::sqrt(dot(wanted, wanted))) <
                    1e-5);
            QCOMPARE(test::result_of(*results, "accuracy").data[at], accuracy_of(a, b));
            const double chance = test::result_of(*results, "control").data[at];
            QVERIFY(chance > 0 && chance < 1);
            if (layer != 1) continue;
            const auto& vector = test::result_of(*results, "vector").data;
            QCOMPARE(vector.size(), wanted.size());
            for (std::size_t i = 0; i < wanted.size(); ++i)
                QVERIFY(std::abs(vector[i] - wanted[i]) < 1e-5);
        }
    }

    void a_unit_vector_has_length_1() {
        const Bench bench;
        const auto results = bench.analyse({{"layer", 2}, {"scale", "unit"}});
        QVERIFY(results.has_value());
        const auto& vector = test::result_of(*results, "vector").data;
        QVERIFY(std::abs(dot(vector, vector) - 1) < 1e-9);
    }

    void what_cannot_be_is_refused() {
        const Bench bench;
        const auto refusal = [&](const Json& parameters) {
            const auto results = bench.analyse(parameters);
            return results ? std::string("not refused") : results.error().message;
        };
        QVERIFY(refusal({{"against", nullptr}}).find("against=@FILE") != std::string::npos);
        QVERIFY(refusal({{"layer", 3}}).find("no layer 3") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestSteeringVector)
#include "test_steering_vector.moc"
