// Scores, weighted values and differences of heads that are not kept, against what the engine captures: every
// cell, and every pyramid against brute force.
#include <QtTest>

#include "tests/attention/opened.h"

using namespace vitrine;
using attention::Cells;
using attention::LayerScores;
using attention::OpenHead;
using test::Loaded;

namespace {

/// Cells by query and key; NaN where there are none.
struct Square {
    int size = 0;
    std::vector<float> cells;
    float at(int query, int key) const { return cells[static_cast<std::size_t>(query * size + key)]; }
};

/// ‖v W_O‖ of every key, summed in float64 straight from what was captured.
std::vector<double> norms_of(const Loaded& model, const run::RowResult& row, int layer, int head) {
    const model::ModelSpec& spec = model.model->spec;
    const Tensor& v = row.find(fmt::format("blocks.{}.attn.hook_v", layer))->tensor;
    const Tensor w =
        model::widened(model.model->at(model.model->find(fmt::format("blocks.{}.attn.W_O", layer))));
    const int kv_head = head / (spec.heads / spec.kv_heads);
    std::vector<double> out;
    for (std::int64_t key = 0; key < v.shape[0]; ++key) {
        double squares = 0;
        for (int d = 0; d < spec.d_model; ++d) {
            double moved = 0;
            for (int i = 0; i < spec.d_head; ++i)
                moved +=
                    double{
                        v.data[static_cast<std::size_t>((key * spec.kv_heads + kv_head) * spec.d_head + i)]} *
                    double{w.data[static_cast<std::size_t>((head * spec.d_head + i) * spec.d_model + d)]};
            squares += moved * moved;
        }
        out.push_back(std::sqrt(squares));
    }
    return out;
}

/// One run with all that a head's cells are made of.
struct Made {
    Made(const Loaded& model, std::uint32_t seed, int layer, const run::AttentionPolicy& policy = {})
        : model_(model), layer_(layer),
          result_(
              test::run_of(model, seed, {"blocks.*.attn.hook_attn_scores", "blocks.*.attn.hook_v"}, policy)) {
        auto taken = attention::take_layer_scores(model.model->spec, layer, result_.rows.front(), policy);
        if (!taken) qFatal("%s", taken.error().message.c_str());
        scores = std::move(*taken);
        const Tensor& v = result_.rows.front().find(fmt::format("blocks.{}.attn.hook_v", layer))->tensor;
        const Tensor w =
            model::widened(model.model->at(model.model->find(fmt::format("blocks.{}.attn.W_O", layer))));
        ThreadPool pool(2);
        scores.norms = std::make_shared<const attention::ValueNorms>(
            attention::value_norms(model.model->spec, v, w, pool));
    }

    /// What the engine has for these cells, in float64 where it is a product.
    std::vector<double> truth(Cells cells, int head) const {
        const auto kept = test::captured(result_.rows.front(), layer_,
                                         cells == Cells::score ? "attn_scores" : "pattern", head);
        const std::vector<double> norms = norms_of(model_, result_.rows.front(), layer_, head);
        std::vector<double> out;
        for (int query = 0; query < kept.size; ++query)
            for (int key = 0; key < kept.size; ++key) {
                double value = double{kept.at(query, key)};
                if (cells == Cells::value_weighted) value *= norms[static_cast<std::size_t>(key)];
                out.push_back(key > query || !std::isfinite(value) ? std::nan("") : value);
            }
        return out;
    }

    LayerScores scores;

private:
    const Loaded& model_;
    int layer_;
    run::RunResult result_;
};

bool agree(float ours, double theirs, Cells cells) {
    if (std::isnan(theirs)) return std::isnan(ours);
    const auto rounded = static_cast<float>(theirs);
    if (cells != Cells::value_weighted) return test::same_bits(ours, rounded) || (ours == 0 && rounded == 0);
    return std::abs(double{ours} - theirs) <= 1.2e-7 * std::abs(theirs) + 1e-12; // sums in another order
}

} // namespace

class TestCells : public QObject {
    Q_OBJECT
private slots:
    void cells_and_pyramids_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<Cells>("cells");
        QTest::addColumn<bool>("difference");
        QTest::addColumn<QString>("attention");
        for (const char* name : {"llama", "gemma2"})
            for (const Cells cells : {Cells::weight, Cells::score})
                for (const bool difference : {false, true})
                    QTest::addRow("%s, cache of sinks, %d%s", name, static_cast<int>(cells),
                                  difference ? ", difference" : "")
                        << QString(name) << cells << difference << "window=21 sinks=3";
        const std::vector<std::pair<const char*, const char*>> models{{"learned positions", "gpt2"},
                                                                      {"linear bias", "bloom"},
                                                                      {"grouped keys", "llama"},
                                                                      {"window", "mistral"},
                                                                      {"window and cap", "gemma2"},
                                                                      {"normed keys", "qwen3"},
                                                                      {"one key head", "falcon-multi_query"}};
        const std::vector<std::pair<const char*, Cells>> kinds{
            {"weight", Cells::weight}, {"score", Cells::score}, {"weighted values", Cells::value_weighted}};
        for (const auto& [what, name] : models)
            for (const auto& [kind, cells] : kinds)
                for (const bool difference : {false, true})
                    QTest::addRow("%s, %s%s", what, kind, difference ? ", difference" : "")
                        << QString(name) << cells << difference << QString();
    }
    void cells_and_pyramids() {
        QFETCH(QString, name);
        QFETCH(Cells, cells);
        QFETCH(bool, difference);
        QFETCH(QString, attention);
        const run::AttentionPolicy policy = *run::parse_policy(attention.toStdString());
        run::AttentionPolicy other = policy; // another cache on the other side
        if (policy.window > 0) other = {33, 1};
        const Loaded model(test::families + "/" + name.toStdString(), "cpu");
        const model::ModelSpec& spec = model.model->spec;
        for (int layer = 0; layer < spec.layers; ++layer) {
            const Made a(model, 7, layer, policy), b(model, 11, layer, other);
            const int head = (layer + 1) % spec.heads;
            std::vector<double> truth = a.truth(cells, head);
            if (difference) {
                const std::vector<double> other = b.truth(cells, head);
                for (std::size_t i = 0; i < truth.size(); ++i)
                    truth[i] -= other[i];
            }
            attention::OpenOptions options;
            options.cells = cells;
            options.minus = difference ? &b.scores : nullptr;
            const auto open = test::opened(a.scores, head, options);
            compare(*open, truth, cells, difference);
        }
    }

    void weighted_values_without_norms_are_refused() {
        const Loaded model(test::families + "/llama", "cpu");
        Made made(model, 7, 0);
        made.scores.norms.reset();
        attention::OpenOptions options;
        options.cells = Cells::value_weighted;
        ThreadPool pool(1);
        const auto open = OpenHead::open(made.scores, 0, options, pool, {});
        QVERIFY(!open && open.error().code == Code::not_found);
    }

    void a_store_subtracts_two_runs() {
        const Loaded model(test::families + "/llama", "cpu");
        const model::ModelSpec& spec = model.model->spec;
        const auto store_of = [&](std::uint32_t seed, bool all) {
            run::RunResult result = test::run_of(model, seed);
            std::vector<std::optional<LayerScores>> layers;
            for (int layer = 0; layer < spec.layers; ++layer)
                layers.emplace_back(*attention::take_layer_scores(spec, layer, result.rows.front()));
            if (!all) layers[0].reset();
            return std::make_shared<attention::HeadStore>(std::move(layers), spec.heads);
        };
        const auto a = store_of(7, true), b = store_of(11, false);
        attention::HeadStore difference(a, b);
        QVERIFY(difference.is_difference() && !difference.has_layer(0) && difference.has_layer(1));
        ThreadPool pool(1);
        const auto open = difference.open(1, 2, {}, pool, {});
        QVERIFY(open.has_value());
        const auto ours = a->open(1, 2, {}, pool, {}), theirs = b->open(1, 2, {}, pool, {});
        QVERIFY(test::same_bits((*open)->at(90, 31), (*ours)->at(90, 31) - (*theirs)->at(90, 31)));
        QCOMPARE(difference.find(1, 2, {}), *open);
        QVERIFY(difference.brief(1, 2)->largest() != 0);
        const auto refused = difference.open(0, 0, {}, pool, {});
        QVERIFY(!refused && refused.error().code == Code::unsupported);
        const auto unknown = difference.open(1, 0, {Cells::value_weighted}, pool, {});
        QVERIFY(!unknown && unknown.error().code == Code::not_found && !difference.has_norms(1));
    }

private:
    static void compare(const OpenHead& open, const std::vector<double>& truth, Cells cells,
                        bool difference) {
        const int tokens = open.tokens();
        const auto true_at = [&](int query, int key) {
            return truth[static_cast<std::size_t>(query * tokens + key)];
        };
        double smallest = INFINITY, greatest = 0;
        int there = 0;
        const std::vector<float> line = open.row(tokens - 1);
        for (int query = 0; query < tokens; ++query)
            for (int key = 0; key < tokens; ++key) {
                const double theirs = true_at(query, key);
                if (!std::isnan(theirs)) {
                    smallest = std::min(smallest, theirs);
                    greatest = std::max(greatest, std::abs(theirs));
                    ++there;
                }
                if (query % 7 == 0 || query == tokens - 1) QVERIFY(agree(open.at(query, key), theirs, cells));
                if (query == tokens - 1) QVERIFY(agree(line[static_cast<std::size_t>(key)], theirs, cells));
            }
        QVERIFY(there > tokens);
        if (cells == Cells::score && !difference) QCOMPARE(open.smallest(), static_cast<float>(smallest));
        for (int cell = 1; cell <= open.levels().back().cell; cell *= 2) {
            const int size = (tokens + cell - 1) / cell;
            const attention::Patch patch = open.patch(cell, 0, 0, size, size, {});
            for (int row = 0; row < size; ++row)
                for (int col = 0; col < size; ++col) {
                    double extreme = difference ? 0 : -INFINITY, sum = 0, sum_of_lengths = 0;
                    int count = 0;
                    for (int query = row * cell; query < std::min((row + 1) * cell, tokens); ++query)
                        for (int key = col * cell; key < std::min((col + 1) * cell, tokens); ++key) {
                            const double value = true_at(query, key);
                            if (std::isnan(value)) continue;
                            if (difference ? std::abs(value) > std::abs(extreme) : value > extreme)
                                extreme = value;
                            sum += value;
                            sum_of_lengths += std::abs(value);
                            ++count;
                        }
                    const auto at = static_cast<std::size_t>(row * size + col);
                    QCOMPARE(std::isnan(patch.largest[at]), count == 0);
                    QCOMPARE(std::isnan(patch.mean[at]), count == 0);
                    if (count == 0) continue;
                    if (!agree(patch.largest[at], extreme, cells)) // of two as far either may stand
                        QVERIFY(difference && agree(-patch.largest[at], extreme, cells));
                    // One rounding a number that is added.
                    const double band = 6e-8 * (2 * cell + 8) * sum_of_lengths / count;
                    QVERIFY2(std::abs(double{patch.mean[at]} - sum / count) <= band + 1e-12,
                             fmt::format("{} {} {}", patch.mean[at], sum / count, band).c_str());
                }
        }
        QVERIFY(greatest > 0);
    }
};

QTEST_GUILESS_MAIN(TestCells)
#include "test_cells.moc"
