// Models in GGUF form: every architecture against what transformers computes with the same model in its own
// form, every type of quantised block against its computation with the dequantised weights, on every device;
// and one sentence for what cannot be opened.
#include <cstring>

#include <QDir>
#include <QTemporaryDir>

#include "tests/run/loaded.h"
#include "tests/run/reference_file.h"

using namespace vitrine;
using test::hook;
using test::Loaded;
using test::Reference;
using test::share_of_band;

namespace {

/// A file with `from` replaced by `to` of the same length, everywhere.
std::string patched(const std::string& fixture, const std::string& from, const std::string& to,
                    const QTemporaryDir& folder) {
    QFile file(QString::fromStdString(test::fixture("gguf/" + fixture)));
    if (!file.open(QIODevice::ReadOnly)) qFatal("no %s", fixture.c_str());
    QByteArray bytes = file.readAll();
    if (from.size() != to.size() || !bytes.contains(QByteArray::fromStdString(from)))
        qFatal("nothing to patch");
    bytes.replace(QByteArray::fromStdString(from), QByteArray::fromStdString(to));
    QFile out(folder.filePath("patched.gguf"));
    if (!out.open(QIODevice::WriteOnly)) qFatal("cannot write");
    out.write(bytes);
    return out.fileName().toStdString();
}

std::string number(std::uint32_t value) {
    std::string bytes(4, '\0');
    std::memcpy(bytes.data(), &value, 4);
    return bytes;
}

} // namespace

class TestGgufModels : public QObject {
    Q_OBJECT

    std::map<std::string, double> shares_;

    static void rows(const std::string& folder) {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("device");
        const QDir files(QString::fromStdString(test::fixture(folder)));
        for (const std::string& device : test::devices())
            for (const QString& file : files.entryList({"*.gguf"})) {
                const QString name = file.chopped(5);
                QTest::newRow((name.toStdString() + " on " + device).c_str())
                    << name << QString::fromStdString(device);
            }
    }

    void check(const std::string& what, const Tensor& ours, const Tensor& theirs) {
        const double share = share_of_band(ours, theirs);
        double& worst = shares_[QTest::currentDataTag()];
        worst = std::max(worst, share);
        QVERIFY2(share <= 1, fmt::format("{}: {} of the band", what, share).c_str());
    }

    static run::RunSpec everything(std::vector<run::RunRow> rows) {
        run::RunSpec spec;
        spec.rows = std::move(rows);
        spec.captures = {"*hook_resid_pre", "*hook_resid_post"};
        spec.choice = run::PositionChoice::all;
        spec.logits = true;
        return spec;
    }

    void compare(const Loaded& model, const Reference& expected, std::vector<run::RunRow> rows) {
        const run::RunResult result = model.run(everything(std::move(rows)));
        for (std::size_t r = 0; r < result.rows.size(); ++r) {
            for (int layer = 0; layer < model.model->spec.layers; ++layer) {
                const std::string block = fmt::format("blocks.{}.", layer);
                check(block + "hook_resid_pre", hook(result.rows[r], block + "hook_resid_pre"),
                      expected.tensor(fmt::format("row{}.hidden.{}", r, layer)));
                check(block + "hook_resid_post", hook(result.rows[r], block + "hook_resid_post"),
                      expected.tensor(fmt::format("row{}.hidden.{}", r, layer + 1)));
            }
            check("logits", result.rows[r].logits, expected.tensor(fmt::format("row{}.logits", r)));
        }
    }

private slots:
    void cleanupTestCase() {
        for (const auto& [tag, share] : shares_)
            fmt::print("{}: largest difference {:.3f} of the band\n", tag, share);
    }

    void architectures_data() { rows("gguf"); }
    void architectures() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        const Reference expected(test::fixture("families/" + name.toStdString() + "/reference.npz"));
        const Loaded model(test::fixture("gguf/" + name.toStdString() + ".gguf"), device.toStdString());
        QCOMPARE(model.model->format, std::string("gguf"));
        std::vector<run::RunRow> rows = expected.rows();
        QVERIFY(rows.size() >= 2);
        // GGUF has no place for the windows of these two, which are 8: only shorter rows compare.
        if (name == "qwen2" || name == "starcoder2") rows.resize(2);
        compare(model, expected, std::move(rows));
    }

    void blocks_data() { rows("blocks"); }
    void blocks() {
        QFETCH(QString, name);
        QFETCH(QString, device);
        const Reference expected(test::fixture("blocks/" + name.toStdString() + ".npz"));
        const Loaded model(test::fixture("blocks/" + name.toStdString() + ".gguf"), device.toStdString());
        compare(model, expected, expected.rows());
        if (device == "cpu" && in_blocks(model.model->at(model.model->find("blocks.0.attn.W_Q")).dtype)) {
            // Blocks stay as they are: nothing of the size of a widened matrix is resident.
            std::uint64_t stored = 0, widened = 0;
            for (const model::Weight& weight : model.model->weights) {
                stored += weight.span_bytes();
                widened += static_cast<std::uint64_t>(weight.rows * weight.cols) * 4;
            }
            QVERIFY(model.loaded->resident_bytes() <= stored + 8192);
            QVERIFY(model.loaded->resident_bytes() < widened / 2);
        }
    }

    // A card with little memory keeps blocks and 16-bit elements, and widens them to the bits that one with
    // much memory has: the same kernels then give the same bits.
    void narrow_weights_data() {
        QTest::addColumn<QString>("name");
        for (const char* folder : {"blocks", "gguf"})
            for (const QString& file :
                 QDir(QString::fromStdString(test::fixture(folder))).entryList({"*.gguf"}))
                QTest::newRow(file.toUtf8()) << QString(folder) + "/" + file;
    }
    void narrow_weights() {
        QFETCH(QString, name);
        if (test::devices().size() < 2) QSKIP("There is no Vulkan device.");
        const QByteArray before = qgetenv("VITRINE_VULKAN_WEIGHTS");
        qputenv("VITRINE_VULKAN_WEIGHTS", "widened");
        const Loaded wide(test::fixture(name.toStdString()), "vulkan:0");
        qputenv("VITRINE_VULKAN_WEIGHTS", "stored");
        const Loaded narrow(test::fixture(name.toStdString()), "vulkan:0");
        qputenv("VITRINE_VULKAN_WEIGHTS", before);
        run::RunSpec spec = everything({{{1, 2, 3, 40, 5}, {}}, {{7}, {}}});
        spec.captures = {"*hook_resid_pre", "*hook_resid_post", "*hook_q", "*hook_result"};
        const run::RunResult ours = narrow.run(spec);
        const run::RunResult theirs = wide.run(spec);
        for (std::size_t r = 0; r < spec.rows.size(); ++r) {
            QCOMPARE(ours.rows[r].logits.data, theirs.rows[r].logits.data);
            for (const auto& captured : theirs.rows[r].captures)
                QVERIFY2(hook(ours.rows[r], captured.hook).data == captured.tensor.data,
                         captured.hook.c_str());
        }
        if (name.startsWith("gguf")) return;
        std::uint64_t stored = 0;
        for (const model::Weight& weight : narrow.model->weights)
            stored += weight.span_bytes();
        QVERIFY(narrow.loaded->resident_bytes() < stored + 65536);
        QVERIFY(narrow.loaded->resident_bytes() < wide.loaded->resident_bytes() * 3 / 5);
    }

    void refusals_data() {
        QTest::addColumn<QString>("from");
        QTest::addColumn<QByteArray>("to");
        QTest::addColumn<QString>("named");
        const auto row = [](const char* name, const std::string& from, const std::string& to,
                            const char* named) {
            QTest::newRow(name) << QString::fromStdString(from) << QByteArray::fromStdString(to)
                                << QString(named);
        };
        row("architecture", "llama", "lluma", "\"lluma\"");
        row("metadata", "llama.block_count", "llama.bluck_count", "llama.block_count");
        row("eps", "norm_rms_epsilon", "norm_rms_opsilon", "llama.attention.layer_norm_rms_epsilon");
        row("unknown tensor", "blk.0.ffn_gate", "blk.0.ffn_goat", "\"blk.0.ffn_goat.weight\"");
        row("tensor's name", "blk.0.ffn_gate",
            "blk.0.ffn_ga\xFF"
            "e",
            "not valid UTF-8: byte 12 is 0xFF");
        row("metadata's key", "llama.block_count", "llama.blo\xFFk_count", "not valid UTF-8: byte 9 is 0xFF");
        row("superfluous tensor", "blk.0.ffn_gate", "blk.7.ffn_gate", "\"blk.0.ffn_gate.weight\"");
    }
    void refusals() {
        QFETCH(QString, from);
        QFETCH(QByteArray, to);
        QFETCH(QString, named);
        const QTemporaryDir folder;
        const std::string path = patched("llama.gguf", from.toStdString(), to.toStdString(), folder);
        const auto opened = model::open_model_folder(path, {}, {});
        QVERIFY(!opened);
        const QString sentence = QString::fromStdString(opened.error().message);
        QVERIFY2(sentence.contains(named), qPrintable(sentence));
        QVERIFY2(sentence.contains("patched.gguf"), qPrintable(sentence));
        QVERIFY2(!sentence.contains("config.json"), qPrintable(sentence));
    }

    void heads_beyond_any_model() {
        const QTemporaryDir folder;
        const std::string key = "llama.attention.head_count" + number(4);
        const std::string path = patched("llama.gguf", key + number(4), key + number(0x7FFFFFFF), folder);
        const auto opened = model::open_model_folder(path, {}, {});
        QVERIFY(!opened);
        QVERIFY(QString::fromStdString(opened.error().message).contains("2147483647 heads"));
    }

    void a_size_that_is_not_the_tensors() {
        const QTemporaryDir folder;
        const std::string key = "llama.feed_forward_length" + number(4);
        const std::string path = patched("llama.gguf", key + number(28), key + number(27), folder);
        const auto opened = model::open_model_folder(path, {}, {});
        QVERIFY(!opened);
        const QString sentence = QString::fromStdString(opened.error().message);
        QVERIFY2(sentence.contains("\"blk.0.ffn_gate.weight\""), qPrintable(sentence));
        QVERIFY2(!sentence.contains("config.json"), qPrintable(sentence));
    }
};

QTEST_GUILESS_MAIN(TestGgufModels)
#include "test_gguf_models.moc"
