// What an operation is worth: each number against runs by themselves.
#include <cmath>

#include <QtTest>
#include <fmt/format.h>

#include "tests/analysis/analyse.h"

using namespace vitrine;
using test::Loaded;

namespace {

const std::vector<std::int32_t> ids = {0, 5, 9, 17, 3, 44, 9, 12};
constexpr int layers = 3;

struct Alone {
    double entropy = 0, loss = 0;
    Tensor last, logits, mlp_out;

    Alone(const Loaded& on, const std::vector<std::string>& edits) {
        run::RunSpec spec;
        spec.rows = {{ids, {}}};
        spec.choice = run::PositionChoice::all;
        spec.logits = true;
        spec.captures = {"blocks.2.hook_resid_post"};
        for (const std::string& text : edits)
            spec.edits.push_back(*run::parse_edit(text));
        const run::RowResult row = on.run(spec).rows[0];
        for (const run::PositionResult& position : row.positions)
            entropy += position.stats.entropy / static_cast<double>(ids.size());
        loss = row.loss;
        last = row.captures[0].tensor;
        logits = row.logits;
    }
};

double mean_cosine(const Tensor& a, const Tensor& b) {
    const std::size_t width = a.data.size() / ids.size();
    double sum = 0;
    for (std::size_t pos = 0; pos < ids.size(); ++pos) {
        double ab = 0, aa = 0, bb = 0;
        for (std::size_t i = pos * width; i < (pos + 1) * width; ++i) {
            const double x = a.data[i], y = b.data[i];
            ab += x * y;
            aa += x * x;
            bb += y * y;
        }
        sum += ab / std::sqrt(aa * bb);
    }
    return sum / static_cast<double>(ids.size());
}

double mean_kl(const Tensor& a, const Tensor& b) {
    const std::size_t width = a.data.size() / ids.size();
    double sum = 0;
    for (std::size_t pos = 0; pos < ids.size(); ++pos) {
        double za = 0, zb = 0, cross = 0;
        for (std::size_t i = pos * width; i < (pos + 1) * width; ++i) {
            za += std::exp(static_cast<double>(a.data[i]));
            zb += std::exp(static_cast<double>(b.data[i]));
        }
        for (std::size_t i = pos * width; i < (pos + 1) * width; ++i) {
            const double x = a.data[i], y = b.data[i];
            cross += std::exp(x) / za * ((x - std::log(za)) - (y - std::log(zb)));
        }
        sum += cross;
    }
    return sum / static_cast<double>(ids.size());
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-6 + 1e-6 * std::abs(b); }

} // namespace

class TestReplacedOperations : public QObject {
    Q_OBJECT
private slots:
    void every_number_is_that_of_a_run_by_itself_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("operation");
        QTest::addColumn<QString>("edit");
        for (const char* model : {"llama-random", "gpt2-random"}) {
            const auto add = [&](const char* operation, const char* edit) {
                QTest::newRow(fmt::format("{} {}", model, operation).c_str()) << model << operation << edit;
            };
            add("activation", "blocks.{}.mlp.hook_post identity");
            add("softmax", "blocks.{}.attn.hook_pattern sigmoid");
            add("serial", "blocks.{}.hook_mlp_in parallel");
            add("norm-of-attention", "blocks.{}.ln1.hook_scale mean");
            add("norm-of-mlp", "blocks.{}.ln2.hook_scale mean");
        }
    }
    void every_number_is_that_of_a_run_by_itself() {
        QFETCH(QString, model);
        QFETCH(QString, operation);
        QFETCH(QString, edit);
        const Loaded on(test::folder_of(model.toStdString()), "cpu");
        QCOMPARE(on.model->spec.layers, layers);
        const auto results = test::analyse(on, {{"id", "replaced-operations"},
                                                {"parameters", {{"operation", operation.toStdString()}}},
                                                {"rows", {ids}}});
        QVERIFY2(results.has_value(), results ? "" : results.error().message.c_str());
        const auto text = [&](int layer) { return fmt::format(fmt::runtime(edit.toStdString()), layer); };
        const Alone clean(on, {});
        QVERIFY(near(test::result_of(*results, "clean_entropy").data[0], clean.entropy));
        QVERIFY(near(test::result_of(*results, "clean_loss").data[0], clean.loss));
        const auto check = [&](const Alone& changed, double entropy, double loss, double kl, double cosine) {
            return near(entropy, changed.entropy - clean.entropy) && near(loss, changed.loss - clean.loss) &&
                   near(kl, mean_kl(clean.logits, changed.logits)) &&
                   near(cosine, mean_cosine(clean.last, changed.last));
        };
        const auto at = [&](const char* name, int layer) {
            return test::result_of(*results, name).data[static_cast<std::size_t>(layer)];
        };
        for (int layer = 0; layer < layers; ++layer) {
            QVERIFY(check(Alone(on, {text(layer)}), at("entropy", layer), at("loss", layer), at("kl", layer),
                          at("cosine", layer)));
            QVERIFY(at("kl", layer) > 0);
            QVERIFY(at("control_kl", layer) > 0 && at("control_kl", layer) != at("kl", layer));
        }
        const Json& together = test::result_of(*results, "together").json.at(0);
        QVERIFY(check(Alone(on, {text(0), text(1), text(2)}), together.at("entropy").get<double>(),
                      together.at("loss").get<double>(), together.at("kl").get<double>(),
                      together.at("cosine").get<double>()));
    }

    void what_cannot_be_is_refused() {
        const Loaded on(test::folder_of("llama-random"), "cpu");
        const auto refused = [&](const Json& parameters, const std::vector<std::int32_t>& row) {
            const auto results = test::analyse(
                on, {{"id", "replaced-operations"}, {"parameters", parameters}, {"rows", {row}}});
            return results ? std::string("not refused") : results.error().message;
        };
        QVERIFY(refused({{"operation", "softmax"}}, {4}).find("one token") != std::string::npos);
        QVERIFY(refused({{"operation", "softmax"}, {"layer", 7}}, ids).find("7") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestReplacedOperations)
#include "test_replaced_operations.moc"
