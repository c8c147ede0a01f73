// A head opened from queries and keys against the pattern that the engine captures, in every family: bits of
// the cells, pyramid against brute force, statistics against float64.
#include <QDir>
#include <QtTest>
#include <fmt/format.h>

#include "tests/attention/opened.h"

using namespace vitrine;
using attention::OpenHead;
using test::captured;
using test::families;
using test::Loaded;
using test::near;
using test::opened;
using test::run_of;
using test::same_bits;

class TestOpenHead : public QObject {
    Q_OBJECT
private slots:
    void cells_have_the_engines_bits_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("attention");
        const QStringList names =
            QDir(QString::fromStdString(families)).entryList(QDir::Dirs | QDir::NoDotAndDotDot);
        QVERIFY(names.size() >= 40);
        int reindexed = 0;
        for (const QString& name : names) {
            QTest::newRow(name.toUtf8()) << name << QString();
            QTest::newRow((name + ", window").toUtf8()) << name << QStringLiteral("window=21 sinks=3");
            // Where positions can be counted inside the cache, in some heads.
            const QString inside = QStringLiteral("window=21 sinks=3 reindexed heads=L0H0,L1H1,L1H0");
            const Loaded model(families + "/" + name.toStdString(), "cpu");
            if (!run::check_policy(model.model->spec, *run::parse_policy(inside.toStdString()))) continue;
            QTest::newRow((name + ", re-indexed").toUtf8()) << name << inside;
            ++reindexed;
        }
        QVERIFY(reindexed >= 20);
    }
    void cells_have_the_engines_bits() {
        QFETCH(QString, name);
        QFETCH(QString, attention);
        const Loaded model(families + "/" + name.toStdString(), "cpu");
        const model::ModelSpec& spec = model.model->spec;
        const run::AttentionPolicy policy = *run::parse_policy(attention.toStdString());
        run::RunResult result = run_of(model, 7, {}, policy);
        run::RowResult& row = result.rows.front();
        for (int layer = 0; layer < spec.layers; ++layer) {
            const auto scores = attention::take_layer_scores(spec, layer, row, policy);
            QVERIFY(scores.has_value());
            for (int head = 0; head < spec.heads; ++head) {
                const auto pattern = captured(row, layer, "pattern", head);
                const auto open = opened(*scores, head, {});
                const attention::Patch all = open->patch(1, 0, 0, pattern.size, pattern.size, {});
                for (int query = 0; query < pattern.size; ++query) {
                    double entropy = 0;
                    for (int key = 0; key < pattern.size; ++key) {
                        const float ours = all.largest[static_cast<std::size_t>(query * pattern.size + key)];
                        if (key > query) {
                            QVERIFY(std::isnan(ours));
                            continue;
                        }
                        const float theirs = pattern.at(query, key);
                        QVERIFY2(same_bits(ours, theirs), fmt::format("{} {}", ours, theirs).c_str());
                        if (theirs > 0) entropy -= double{theirs} * std::log(double{theirs});
                    }
                    QVERIFY(near(open->statistics().entropy[static_cast<std::size_t>(query)], entropy, 1e-5));
                }
                for (int key = 0; key < pattern.size; ++key) {
                    double alpha = 0;
                    for (int query = key; query < pattern.size; ++query)
                        alpha += double{pattern.at(query, key)};
                    QVERIFY(near(open->statistics().alpha[static_cast<std::size_t>(key)],
                                 alpha / (pattern.size - key), 1e-6));
                }
                // One cell, and one row, alone.
                const int query = pattern.size / 2;
                QVERIFY(same_bits(open->at(query, query / 3), pattern.at(query, query / 3)));
                QVERIFY(std::isnan(open->at(query, query + 1)));
                const std::vector<float> line = open->row(query);
                for (int key = 0; key <= query; ++key)
                    QVERIFY(same_bits(line[static_cast<std::size_t>(key)], pattern.at(query, key)));
            }
        }
    }

    // Other devices sum in another order: their own patterns, to the rounding of float32.
    void queries_of_any_device_tell_its_pattern_data() {
        QTest::addColumn<QString>("name");
        for (const char* name :
             {"gpt2", "bloom", "llama", "mistral", "gemma2", "qwen3", "falcon-multi_query"})
            QTest::newRow(name) << name;
    }
    void queries_of_any_device_tell_its_pattern() {
        QFETCH(QString, name);
        for (const std::string& device : test::devices()) {
            const Loaded model(families + "/" + name.toStdString(), device);
            const model::ModelSpec& spec = model.model->spec;
            run::RunResult result = run_of(model, 7, {"blocks.*.attn.hook_attn_scores"});
            run::RowResult& row = result.rows.front();
            for (int layer = 0; layer < spec.layers; ++layer) {
                const auto taken = attention::take_layer_scores(spec, layer, row);
                QVERIFY(taken.has_value());
                const int head = layer % spec.heads;
                attention::OpenOptions before;
                before.cells = attention::Cells::score;
                const auto weights = opened(*taken, head, {}), scores = opened(*taken, head, before);
                const auto pattern = captured(row, layer, "pattern", head);
                const auto raw = captured(row, layer, "attn_scores", head);
                for (int query = 0; query < pattern.size; query += 3)
                    for (int key = 0; key <= query; ++key) {
                        QVERIFY(near(double{weights->at(query, key)}, double{pattern.at(query, key)}, 2e-6));
                        const double theirs = double{raw.at(query, key)};
                        QVERIFY(near(double{scores->at(query, key)},
                                     std::isfinite(theirs) ? theirs : std::nan(""), 1e-5));
                    }
            }
        }
    }

    void pyramid_equals_brute_force_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("most");
        QTest::addColumn<std::vector<int>>("out");
        QTest::addColumn<QString>("attention");
        const std::vector<int> none, some{0, 9, 10, 77};
        const QString all;
        QTest::newRow("plain") << "bloom" << 1024 << none << all;
        QTest::newRow("grouped keys") << "llama" << 1024 << none << all;
        QTest::newRow("window and cap") << "gemma2" << 1024 << none << all;
        QTest::newRow("coarse only") << "olmo2" << 3 << none << all;
        QTest::newRow("keys left out") << "granite" << 1024 << some << all;
        QTest::newRow("keys left out of a window") << "mistral" << 1024 << some << all;
        QTest::newRow("keys left out, coarse") << "qwen3" << 3 << some << all;
        QTest::newRow("a cache of sinks") << "bloom" << 1024 << none << "window=30 sinks=2";
        QTest::newRow("positions inside the cache")
            << "qwen3" << 1024 << none << "window=30 sinks=2 reindexed";
        QTest::newRow("the same, keys left out") << "llama" << 3 << some << "window=30 sinks=2 reindexed";
    }
    void pyramid_equals_brute_force() {
        QFETCH(QString, name);
        QFETCH(int, most);
        QFETCH(std::vector<int>, out);
        QFETCH(QString, attention);
        const Loaded model(families + "/" + name.toStdString(), "cpu");
        const model::ModelSpec& spec = model.model->spec;
        const run::AttentionPolicy policy = *run::parse_policy(attention.toStdString());
        run::RunResult result = run_of(model, 7, {}, policy);
        const int layer = spec.layers - 1, head = spec.heads - 1;
        const auto scores = attention::take_layer_scores(spec, layer, result.rows.front(), policy);
        QVERIFY(scores.has_value());
        const auto pattern = captured(result.rows.front(), layer, "pattern", head);
        attention::OpenOptions options;
        options.largest_level = most;
        if (!out.empty()) options.keys_out.resize(static_cast<std::size_t>(pattern.size));
        for (const int key : out)
            if (key < pattern.size) options.keys_out[static_cast<std::size_t>(key)] = true;
        const auto left_out = [&](int key) {
            return !out.empty() && options.keys_out[static_cast<std::size_t>(key)];
        };
        std::vector<double> rest(static_cast<std::size_t>(pattern.size), 0);
        for (int query = 0; query < pattern.size; ++query)
            for (int key = 0; key <= query; ++key)
                if (!left_out(key)) rest[static_cast<std::size_t>(query)] += double{pattern.at(query, key)};
        const auto open = opened(*scores, head, options);
        QVERIFY(open->levels().front().size <= most);
        QCOMPARE(open->levels().back().size, 1);
        int cells = 0;
        for (int cell = 1; cell <= open->levels().back().cell; cell *= 2) {
            const int size = (pattern.size + cell - 1) / cell;
            const attention::Patch patch = open->patch(cell, 0, 0, size, size, {});
            QCOMPARE(patch.rows, size);
            for (int row = 0; row < size; ++row)
                for (int col = 0; col < size; ++col) {
                    double largest = -1, sum = 0;
                    int count = 0;
                    for (int query = row * cell; query < std::min((row + 1) * cell, pattern.size); ++query)
                        for (int key = col * cell; key <= std::min(query, (col + 1) * cell - 1); ++key) {
                            if (left_out(key) || rest[static_cast<std::size_t>(query)] <= 0) continue;
                            const double value = double{pattern.at(query, key)} /
                                                 (out.empty() ? 1.0 : rest[static_cast<std::size_t>(query)]);
                            largest = std::max(largest, value);
                            sum += value;
                            ++count;
                        }
                    const auto at = static_cast<std::size_t>(row * size + col);
                    QCOMPARE(std::isnan(patch.mean[at]), count == 0);
                    QCOMPARE(std::isnan(patch.largest[at]), count == 0);
                    if (count == 0) continue;
                    ++cells;
                    QVERIFY(near(double{patch.largest[at]}, largest, 1e-6));
                    QVERIFY(near(double{patch.mean[at]}, sum / count, 1e-6));
                }
            // A part of it is the same as the whole.
            const attention::Patch part = open->patch(cell, size / 2, size / 4, 5, 3, {});
            for (int r = 0; r < part.rows; ++r)
                for (int c = 0; c < part.cols; ++c)
                    QVERIFY(near(
                        double{part.mean[static_cast<std::size_t>(r * part.cols + c)]},
                        double{patch.mean[static_cast<std::size_t>((size / 2 + r) * size + size / 4 + c)]},
                        1e-7));
        }
        QVERIFY(cells > 1000);
    }

    void presence_counts_as_a_loop_does() {
        const std::vector<bool> keys{true, false, false, true, false, false, false, true, false};
        const std::vector<bool> queries{false, false, true, false, false, true, false, false, false};
        const attention::Presence present(9, keys, queries);
        for (int q0 = 0; q0 < 9; ++q0)
            for (int q1 = q0; q1 <= 10; ++q1)
                for (int k0 = 0; k0 < 9; ++k0)
                    for (int k1 = k0; k1 <= 10; ++k1) {
                        std::int64_t count = 0;
                        for (int q = q0; q < std::min(q1, 9); ++q)
                            for (int k = k0; k < std::min(k1, 9); ++k)
                                count += k <= q && !keys[static_cast<std::size_t>(k)] &&
                                         !queries[static_cast<std::size_t>(q)];
                        QCOMPARE(present.count(q0, q1, k0, k1), count);
                    }
    }

    void a_store_keeps_heads_and_briefs() {
        const Loaded model(families + "/llama", "cpu");
        const model::ModelSpec& spec = model.model->spec;
        run::RunResult result = run_of(model);
        std::vector<std::optional<attention::LayerScores>> layers;
        for (int layer = 0; layer < spec.layers; ++layer) {
            auto scores = attention::take_layer_scores(spec, layer, result.rows.front());
            QVERIFY(scores.has_value());
            layers.emplace_back(std::move(*scores));
        }
        layers[0].reset(); // as if an intervention changed its patterns
        attention::HeadStore store(std::move(layers), spec.heads);
        QCOMPARE(store.tokens(), test::most_tokens);
        ThreadPool pool(1);
        QVERIFY(!store.find(1, 2, {}) && !store.brief(1, 2));
        const auto open = store.open(1, 2, {}, pool, {});
        QVERIFY(open.has_value());
        QCOMPARE(store.find(1, 2, {}), *open);
        QVERIFY(!store.find(1, 2, {attention::Cells::weight, std::vector<bool>(test::most_tokens, true)}));
        QVERIFY(store.brief(1, 2) != nullptr);
        QCOMPARE(store.brief(1, 2)->alpha, (*open)->statistics().alpha);
        QVERIFY(store.read_brief(1, 3, {}, pool, {}).has_value());
        QVERIFY(!store.find(1, 3, {}) && store.brief(1, 3)->levels.back().size == 1);
        const auto refused = store.open(0, 0, {}, pool, {});
        QVERIFY(!refused && refused.error().code == Code::unsupported);
    }

    void opening_is_cancelled() {
        const Loaded model(families + "/gpt2", "cpu");
        run::RunResult result = run_of(model);
        const auto scores = attention::take_layer_scores(model.model->spec, 0, result.rows.front());
        ThreadPool pool(1);
        CancelToken cancel;
        cancel.cancel();
        const auto open = OpenHead::open(*scores, 0, {}, pool, cancel);
        QVERIFY(!open && open.error().code == Code::cancelled);
    }

    void a_run_without_queries_is_refused() {
        const Loaded model(families + "/gpt2", "cpu");
        run::RunResult result = run_of(model);
        auto& captures = result.rows.front().captures;
        captures.clear();
        const auto scores = attention::take_layer_scores(model.model->spec, 0, result.rows.front());
        QVERIFY(!scores && scores.error().code == Code::not_found);
    }
};

QTEST_GUILESS_MAIN(TestOpenHead)
#include "test_open_head.moc"
