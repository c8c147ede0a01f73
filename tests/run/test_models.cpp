// Whole models against transformers' float32 (tests/fixtures/models): logits, every hidden state, every
// attention pattern, and greedy generation, on every device.
#include <cmath>

#include <QtTest>
#include <fmt/format.h>

#include "core/formats/tensor_files.h"
#include "core/run/builder.h"
#include "core/run/generate.h"
#include "tests/run/loaded.h"

using namespace vitrine;
using test::Loaded;

namespace {

struct Reference {
    formats::TensorFiles files;

    explicit Reference(const std::string& path) : files(open(path)) {}

    Tensor tensor(const std::string& name) const {
        const auto* stored = files.find(name);
        if (stored == nullptr) qFatal("no reference %s", name.c_str());
        Tensor tensor(stored->view.shape);
        widen(stored->view.dtype, stored->view.data, tensor.data);
        return tensor;
    }
    std::vector<std::int32_t> ids(const std::string& name) const {
        std::vector<std::int32_t> ids;
        for (const float id : tensor(name).data)
            ids.push_back(static_cast<std::int32_t>(id));
        return ids;
    }
    bool has(const std::string& name) const { return files.find(name) != nullptr; }

private:
    static formats::TensorFiles open(const std::string& path) {
        auto files = formats::TensorFiles::open(path);
        if (!files) qFatal("%s", files.error().message.c_str());
        return std::move(*files);
    }
};

/// The exact band of DESIGN.md.
void compare(const Tensor& ours, const Tensor& theirs, const std::string& what) {
    QVERIFY2(ours.shape == theirs.shape, what.c_str());
    double largest = 1;
    for (const float x : theirs.data)
        largest = std::max(largest, std::abs(static_cast<double>(x)));
    double gap = 0;
    for (std::size_t i = 0; i < ours.data.size(); ++i) {
        const double here = std::abs(static_cast<double>(ours.data[i]) - static_cast<double>(theirs.data[i]));
        QVERIFY2(!std::isnan(here), what.c_str());
        gap = std::max(gap, here);
    }
    QVERIFY2(gap <= 5e-5 * largest, fmt::format("{}: {} of {}", what, gap, largest).c_str());
}

/// The last rows of a tensor, for references that keep only the last position.
Tensor last_rows(const Tensor& tensor, std::int64_t rows) {
    Shape shape = tensor.shape;
    shape[0] = rows;
    Tensor last(shape);
    std::copy(tensor.data.end() - last.size(), tensor.data.end(), last.data.begin());
    return last;
}

} // namespace

class TestModels : public QObject {
    Q_OBJECT

    static void rows() {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<QString>("reference");
        QTest::addColumn<QString>("device");
        const std::string resources = VITRINE_RESOURCES;
        for (const std::string& device : test::devices()) {
            for (const std::string name : {"gpt2-random", "llama-random", "vitrine-tiny"}) {
                const std::string folder =
                    name == "vitrine-tiny" ? resources + "/models/vitrine-tiny" : test::fixture(name);
                QTest::newRow((name + " on " + device).c_str())
                    << QString::fromStdString(folder)
                    << QString::fromStdString(test::fixture(name) + "/reference.safetensors")
                    << QString::fromStdString(device);
            }
        }
    }

private slots:
    void forward_data() { rows(); }
    void forward() {
        QFETCH(QString, folder);
        QFETCH(QString, reference);
        QFETCH(QString, device);
        const Reference expected(reference.toStdString());
        const Loaded model(folder.toStdString(), device.toStdString());
        const int layers = model.model->spec.layers;
        run::RunSpec spec;
        for (int row = 0; expected.has(fmt::format("row{}.ids", row)); ++row)
            spec.rows.push_back({expected.ids(fmt::format("row{}.ids", row)), {}});
        QCOMPARE(spec.rows.size(), std::size_t{2});
        spec.captures = {"*hook_resid_pre", "*hook_resid_post", "*hook_pattern", "unembed.hook_in"};
        spec.choice = run::PositionChoice::all;
        spec.logits = true;
        const run::RunResult result = model.run(spec);
        for (std::size_t row = 0; row < spec.rows.size(); ++row) {
            const run::RowResult& ours = result.rows[row];
            const std::string prefix = fmt::format("row{}.", row);
            const auto hook = [&](const std::string& name) { return ours.find(name)->tensor; };
            for (int layer = 0; layer < layers; ++layer) {
                compare(hook(fmt::format("blocks.{}.hook_resid_pre", layer)),
                        expected.tensor(fmt::format("{}hidden.{}", prefix, layer)),
                        fmt::format("hidden {}", layer));
                compare(hook(fmt::format("blocks.{}.attn.hook_pattern", layer)),
                        expected.tensor(fmt::format("{}pattern.{}", prefix, layer)),
                        fmt::format("pattern {}", layer));
            }
            compare(hook(fmt::format("blocks.{}.hook_resid_post", layers - 1)),
                    expected.tensor(fmt::format("{}hidden.{}", prefix, layers)), "last hidden");
            compare(hook("unembed.hook_in"), expected.tensor(prefix + "final_norm"), "final norm");
            const Tensor logits = expected.tensor(prefix + "logits");
            compare(last_rows(ours.logits, logits.shape[0]), logits, "logits");
        }
    }

    void captures_alone_end_the_model_behind_them_data() { rows(); }
    void captures_alone_end_the_model_behind_them() {
        QFETCH(QString, folder);
        QFETCH(QString, device);
        const Loaded model(folder.toStdString(), device.toStdString());
        run::RunSpec spec;
        spec.rows = {{{3, 1, 4, 1, 5, 9, 2, 6}, {}}};
        spec.captures = {"hook_embed", "blocks.0.attn.hook_v", "blocks.0.hook_resid_post"};
        const run::RunResult whole = model.run(spec);
        spec.choice = run::PositionChoice::list; // of none
        spec.loss = false;
        const run::RunResult part = model.run(spec);
        QVERIFY(part.rows.front().positions.empty() && std::isnan(part.rows.front().loss));
        QCOMPARE(part.rows.front().captures.size(), std::size_t{3});
        for (const run::Captured& captured : part.rows.front().captures)
            QVERIFY(captured.tensor.data == whole.rows.front().find(captured.hook)->tensor.data);
        // Layers behind the last capture are not in the plan.
        run::BuildRequest request;
        request.batch = {{3, 1, 4}, {0, 3}, {0}};
        const auto ops = [&](const std::string& hook) {
            request.captures = {hook};
            return run::build_plan(*model.model, request)->plan.ops.size();
        };
        QVERIFY(ops("hook_embed") < ops("blocks.0.attn.hook_v"));
        QVERIFY(ops("blocks.0.attn.hook_v") < ops("blocks.1.attn.hook_v"));
        QVERIFY(ops("blocks.1.attn.hook_v") < ops("unembed.hook_in"));
    }

    void greedy_generation_data() { rows(); }
    void greedy_generation() {
        QFETCH(QString, folder);
        QFETCH(QString, reference);
        QFETCH(QString, device);
        const Reference expected(reference.toStdString());
        const Loaded model(folder.toStdString(), device.toStdString());
        run::GenerateSpec spec;
        for (int row = 0; expected.has(fmt::format("row{}.generated", row)); ++row)
            spec.prompt.rows.push_back({expected.ids(fmt::format("row{}.ids", row)), {}});
        QVERIFY(!spec.prompt.rows.empty());
        spec.max_new = 16;
        const auto result = run::generate(*model.loaded, *model.model, spec, {}, {}, {});
        QVERIFY2(result.has_value(), result ? "" : result.error().message.c_str());
        for (std::size_t row = 0; row < spec.prompt.rows.size(); ++row)
            QCOMPARE(result->rows[row].new_ids, expected.ids(fmt::format("row{}.generated", row)));
    }
};

QTEST_GUILESS_MAIN(TestModels)
#include "test_models.moc"
