// Tuned lenses on disk: what is read, and what is refused in words.
#include <filesystem>
#include <fstream>

#include <QTemporaryDir>
#include <QtTest>

#include "core/engine/tuned_lens.h"

using namespace vitrine;
namespace fs = std::filesystem;

namespace {

const fs::path lens = fs::path(VITRINE_FIXTURES) / "analysis/tuned-lens"; // of llama-random

model::ModelSpec spec(int layers = 3, int width = 40) {
    model::ModelSpec made;
    made.layers = layers;
    made.d_model = width;
    return made;
}

} // namespace

class TestTunedLens : public QObject {
    Q_OBJECT
private slots:
    void folder_and_files_are_the_same() {
        const auto whole = engine::read_tuned_lens(lens, spec());
        QVERIFY2(whole, whole ? "" : whole.error().message.c_str());
        QCOMPARE(whole->weights.size(), std::size_t{6});
        QVERIFY(whole->weights.at("lens.2.W").shape == (Shape{40, 40}));
        QVERIFY(whole->weights.at("lens.0.b").shape == (Shape{1, 40}));
        QCOMPARE(whole->base_model, std::string("llama-random"));
        for (const char* file : {"params.pt", "config.json"}) {
            const auto again = engine::read_tuned_lens(lens / file, spec());
            QVERIFY(again);
            QCOMPARE(again->hash, whole->hash);
            QVERIFY(again->weights.at("lens.1.W").data == whole->weights.at("lens.1.W").data);
        }
    }

    void another_model_is_refused() {
        for (const auto& other : {spec(4), spec(3, 64)}) {
            const auto read = engine::read_tuned_lens(lens, other);
            QVERIFY(!read);
            QCOMPARE(read.error().code, Code::unsupported);
            QVERIFY(read.error().message.find("llama-random") != std::string::npos);
        }
    }

    void another_type_is_refused() {
        const auto read = with_config(R"({"lens_type":"mlp_lens","d_model":40,"num_hidden_layers":3})");
        QVERIFY(!read);
        QCOMPARE(read.error().code, Code::unsupported);
    }

    void missing_translators_are_told() {
        // The config says four layers, and so does the model; the file has three.
        const auto read = with_config(R"({"d_model":40,"num_hidden_layers":4})", spec(4));
        QVERIFY(!read);
        QCOMPARE(read.error().code, Code::malformed);
        QVERIFY(read.error().message.find("3.weight") != std::string::npos);
    }

    void what_is_no_lens_is_told() {
        QCOMPARE(engine::read_tuned_lens(lens / "nowhere", spec()).error().code, Code::not_found);
        QCOMPARE(with_config("[]").error().code, Code::malformed);
        QCOMPARE(with_config(R"({"d_model":"wide"})").error().code, Code::malformed);
    }

private:
    Result<engine::TunedLens> with_config(const std::string& config, const model::ModelSpec& model = spec()) {
        const fs::path folder = fs::path(folder_.path().toStdString()) / std::to_string(++count_);
        fs::create_directory(folder);
        fs::copy_file(lens / "params.pt", folder / "params.pt");
        std::ofstream(folder / "config.json") << config;
        return engine::read_tuned_lens(folder, model);
    }

    QTemporaryDir folder_;
    int count_ = 0;
};

QTEST_GUILESS_MAIN(TestTunedLens)
#include "test_tuned_lens.moc"
