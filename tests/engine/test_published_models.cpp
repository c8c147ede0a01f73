// Two published models in GGUF form, as datasets/fetch gets them, against what transformers computes with the
// same files (tests/fixtures/models/real): ids, loss, the ten largest logits and 24 greedy tokens of 20
// prompts, on every device. Runs only where VITRINE_PUBLISHED_MODELS names the folder with the files.
#include <algorithm>
#include <cmath>

#include <QtTest>
#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/base/mapped_file.h"
#include "core/engine/engine.h"
#include "core/run/generate.h"
#include "core/run/runner.h"

using namespace vitrine;
namespace fs = std::filesystem;

namespace {

constexpr double largest_gap = 2e-3; // of a logit

fs::path folder() { return qEnvironmentVariable("VITRINE_PUBLISHED_MODELS").toStdString(); }

Json reference(const std::string& name) {
    auto json = read_json(fs::path(VITRINE_FIXTURES) / "models" / "real" / (name + ".json"));
    if (!json) qFatal("%s", json.error().message.c_str());
    return std::move(*json);
}

} // namespace

class TestPublishedModels : public QObject {
    Q_OBJECT

    Json expected_;
    std::shared_ptr<engine::OpenModel> model_;
    std::vector<run::RunRow> rows_;

    void open(const QString& name, const QString& device) {
        expected_ = reference(name.toStdString());
        auto opened = engine::open_model({.name = (folder() / expected_["file"].get<std::string>()).string(),
                                          .device = device.toStdString()},
                                         {}, {});
        QVERIFY2(opened, opened ? "" : opened.error().message.c_str());
        model_ = std::move(*opened);
        rows_.clear();
        for (const Json& row : expected_["rows"])
            rows_.push_back({row["ids"].get<std::vector<std::int32_t>>(), {}});
        QCOMPARE(rows_.size(), std::size_t{20});
    }

    /// Every model on every device, or one sentence.
    static void every_row() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("device");
        for (const char* name : {"smollm2", "gemma3"})
            for (const backend::DeviceInfo& info : backend::list_devices())
                if (info.id == "cpu" || info.id == "vulkan:0")
                    QTest::newRow(fmt::format("{} on {}", name, info.id).c_str())
                        << name << QString::fromStdString(info.id);
    }

private slots:
    void initTestCase() {
        if (folder().empty())
            QSKIP("VITRINE_PUBLISHED_MODELS names no folder with the models that datasets/fetch gets.");
    }

    void files_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"smollm2", "gemma3"})
            QTest::newRow(name) << name;
    }
    void files() {
        QFETCH(QString, name);
        const Json expected = reference(name.toStdString());
        const auto file = MappedFile::open(folder() / expected["file"].get<std::string>());
        QVERIFY2(file, file ? "" : file.error().message.c_str());
        Sha256 digest;
        digest.add(file->bytes());
        QCOMPARE(digest.finish(), expected["sha256"].get<std::string>());
    }

    void ids_data() { files_data(); }
    void ids() {
        QFETCH(QString, name);
        open(name, "cpu");
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const auto text = expected_["rows"][r]["text"].get<std::string>();
            const auto row = engine::encode_row(*model_, text, tokenizer::Specials::by_template);
            QVERIFY2(row, row ? "" : row.error().message.c_str());
            QCOMPARE(row->ids, rows_[r].ids);
        }
    }

    void logits_and_losses_data() { every_row(); }
    void logits_and_losses() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        open(name, device);
        run::RunSpec spec;
        spec.rows = rows_;
        spec.logits = true; // of the last position
        const auto result = run::run(*model_->loaded, model_->model, spec, {}, {});
        QVERIFY2(result, result ? "" : result.error().message.c_str());
        double largest = 0;
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const Json& row = expected_["rows"][r];
            const std::vector<float>& logits = result->rows[r].logits.data;
            std::vector<std::size_t> order(logits.size());
            std::iota(order.begin(), order.end(), 0U);
            std::partial_sort(order.begin(), order.begin() + 10, order.end(),
                              [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
            for (std::size_t i = 0; i < 10; ++i) {
                const auto id = row["top"][i][0].get<std::size_t>();
                const double theirs = row["top"][i][1].get<double>();
                const double gap = std::abs(double{logits[id]} - theirs);
                largest = std::max(largest, gap);
                QVERIFY2(gap < largest_gap, fmt::format("row {} logit {}: off by {}", r, id, gap).c_str());
                // The same order, but where two logits are nearer than the gap that is allowed.
                if (order[i] != id) QVERIFY(std::abs(double{logits[order[i]]} - theirs) < largest_gap);
            }
            const auto& nll = result->rows[r].token_nll;
            double sum = 0;
            for (std::size_t i = 1; i < nll.size(); ++i)
                sum += double{nll[i]};
            const double loss = sum / static_cast<double>(nll.size() - 1);
            QVERIFY2(std::abs(loss - row["loss"].get<double>()) < 1e-3,
                     fmt::format("row {}: {}", r, loss).c_str());
        }
        fmt::print("{} on {}: largest difference of a logit {:.2e}\n", name.toStdString(),
                   device.toStdString(), largest);
    }

    void greedy_text_data() { every_row(); }
    void greedy_text() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        open(name, device);
        run::GenerateSpec spec;
        spec.prompt.rows = rows_;
        spec.max_new = 24;
        const auto result = run::generate(*model_->loaded, model_->model, spec, {}, {}, {});
        QVERIFY2(result, result ? "" : result.error().message.c_str());
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            const Json& row = expected_["rows"][r];
            QCOMPARE(result->rows[r].new_ids, row["greedy"].get<std::vector<std::int32_t>>());
            QCOMPARE(model_->tokenizer->decode(result->rows[r].new_ids, false),
                     row["continuation"].get<std::string>());
        }
    }
};

QTEST_GUILESS_MAIN(TestPublishedModels)
#include "test_published_models.moc"
