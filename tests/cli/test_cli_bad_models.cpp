// Models that are broken or lie: each is refused by the program with one sentence and its code, and by
// nothing else.
#include <QtTest>

#include <cstring>

#include "tests/cli/program_under_test.h"

using namespace vitrine;
using namespace vitrine::test;

namespace {

QByteArray read_file(const QString& name) {
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

void copy_model(const QString& from, const QString& to) {
    QVERIFY(QDir().mkpath(to));
    for (const QString& name : QDir(from).entryList(QDir::Files))
        QVERIFY(QFile::copy(from + "/" + name, to + "/" + name));
}

/// The header of a safetensors file and the bytes behind it, to be changed and put together again.
struct Weights {
    Json header;
    QByteArray data;

    explicit Weights(const QString& file) {
        const QByteArray bytes = read_file(file);
        quint64 length = 0;
        std::memcpy(&length, bytes.constData(), sizeof(length));
        header = Json::parse(bytes.mid(8, static_cast<int>(length)).toStdString());
        data = bytes.mid(8 + static_cast<int>(length));
    }
    QByteArray bytes() const {
        const std::string text = header.dump();
        const quint64 length = text.size();
        return QByteArray(reinterpret_cast<const char*>(&length), sizeof(length)) +
               QByteArray::fromStdString(text) + data;
    }
};

constexpr const char* norm = "transformer.ln_f.weight";

} // namespace

class TestCliBadModels : public QObject {
    Q_OBJECT
private slots:
    void weights_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("code");
        const QString good = gpt2() + "/model.safetensors";
        const QByteArray whole = read_file(good);
        const auto raw = [](const char* name, const QByteArray& bytes, const char* code = "malformed") {
            QTest::newRow(name) << bytes << QString(code);
        };
        const auto changed = [&](const char* name, const std::function<void(Weights&)>& change,
                                 const char* code = "malformed") {
            Weights weights(good);
            change(weights);
            raw(name, weights.bytes(), code);
        };
        raw("empty", {});
        raw("cut within the header", whole.left(100));
        raw("cut within the data", whole.left(whole.size() - 1));
        raw("no JSON", QByteArray::fromHex("0400000000000000") + "nope");
        raw("text", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 548105171\n");
        QByteArray longer = whole;
        longer.replace(0, 8, QByteArray::fromHex("ffffffffffffff7f"));
        raw("header longer than the file", longer);
        changed("overlapping offsets", [](Weights& w) {
            w.header[norm]["data_offsets"] = w.header["transformer.ln_f.bias"]["data_offsets"];
        });
        changed("offsets beyond the file", [](Weights& w) {
            w.header[norm]["data_offsets"] = {std::int64_t{1} << 60, (std::int64_t{1} << 60) + 192};
        });
        changed("end before begin", [](Weights& w) {
            auto& offsets = w.header[norm]["data_offsets"];
            std::swap(offsets[0], offsets[1]);
        });
        changed("an axis of 2^60", [](Weights& w) { w.header[norm]["shape"] = {std::int64_t{1} << 60}; });
        changed("axes whose product is 2^64", [](Weights& w) {
            w.header[norm]["shape"] = {std::int64_t{1} << 32, std::int64_t{1} << 32};
        });
        changed("a negative axis", [](Weights& w) { w.header[norm]["shape"] = {-48}; });
        changed("the shape of another tensor", [](Weights& w) { w.header[norm]["shape"] = {6, 8}; });
        changed("a type of other size", [](Weights& w) { w.header[norm]["dtype"] = "F16"; });
        changed(
            "integers", [](Weights& w) { w.header[norm]["dtype"] = "I32"; }, "unsupported");
        changed(
            "an unknown type", [](Weights& w) { w.header[norm]["dtype"] = "F13"; }, "unsupported");
        changed("a tensor is missing", [](Weights& w) {
            w.header["unheard_of"] = w.header[norm];
            w.header.erase(norm);
        });
        changed("infinities", [](Weights& w) {
            const int at = w.header[norm]["data_offsets"][0].get<int>();
            w.data.replace(at, 4, QByteArray::fromHex("0000807f"));
        });
    }

    void weights() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, code);
        const QTemporaryDir folder;
        copy_model(gpt2(), folder.filePath("model"));
        write_file(folder.filePath("model/model.safetensors"), bytes);
        const auto before = snapshot(folder.path());
        const Ended ended = run_program({"run", folder.filePath("model"), "--ids", "5,6", "--device", "cpu",
                                         "--session", folder.filePath("session"), "--json", "--quiet"});
        verify_refused(ended, 1, code);
        QVERIFY(snapshot(folder.path()) == before);
    }

    void configurations_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("code");
        const QByteArray good = read_file(gpt2() + "/config.json");
        const auto row = [](const char* name, const QByteArray& text, const char* code) {
            QTest::newRow(name) << text << QString(code);
        };
        const auto changed = [&](const char* name, const char* from, const char* to, const char* code) {
            row(name, QByteArray(good).replace(from, to), code);
        };
        row("empty", "", "malformed");
        row("cut off", good.left(50), "malformed");
        row("a list", "[]", "malformed");
        row("deeper than any stack", QByteArray(200000, '['), "too-large");
        row("not UTF-8", "{\"model_type\": \"\xFF\"}", "malformed");
        changed("unknown architecture", "\"gpt2\"", "\"mamba\"", "unsupported");
        changed("heads that do not divide", "\"n_head\": 4", "\"n_head\": 5", "malformed");
        changed("no heads", "\"n_head\": 4", "\"n_head\": 0", "malformed");
        changed("heads without number", "\"n_head\": 4", "\"n_head\": \"four\"", "malformed");
        changed("2^60 layers", "\"n_layer\": 3", "\"n_layer\": 1152921504606846976", "malformed");
        changed("more layers than weights", "\"n_layer\": 3", "\"n_layer\": 4", "malformed");
        changed("a larger vocabulary", "\"vocab_size\": 300", "\"vocab_size\": 301", "malformed");
        changed("no context", "\"n_positions\": 64", "\"n_positions\": -1", "malformed");
    }

    void configurations() {
        QFETCH(QByteArray, text);
        QFETCH(QString, code);
        const QTemporaryDir folder;
        copy_model(gpt2(), folder.filePath("model"));
        write_file(folder.filePath("model/config.json"), text);
        verify_refused(run_program({"model", folder.filePath("model"), "--json", "--quiet"}), 1, code);
    }

    void tokenizers_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<QString>("code");
        const Json good =
            Json::parse(read_file(VITRINE_RESOURCES "/models/vitrine-tiny/tokenizer.json").toStdString());
        const auto changed = [&](const char* name, const std::function<void(Json&)>& change,
                                 const char* code = "malformed") {
            Json tokenizer = good;
            change(tokenizer);
            QTest::newRow(name) << QByteArray::fromStdString(tokenizer.dump()) << QString(code);
        };
        QTest::newRow("empty") << QByteArray() << QString("malformed");
        QTest::newRow("cut off") << QByteArray("{\"model\": {") << QString("malformed");
        QTest::newRow("a number") << QByteArray("7") << QString("malformed");
        changed("no model", [](Json& t) { t.erase("model"); });
        changed("no merges", [](Json& t) { t["model"].erase("merges"); });
        changed("merges of words that are none", [](Json& t) {
            t["model"]["merges"] = Json::array({"un heard", "of these"});
        });
        changed("merges without a space", [](Json& t) { t["model"]["merges"] = Json::array({"abc"}); });
        changed("no vocabulary", [](Json& t) { t["model"].erase("vocab"); });
        changed("negative ids", [](Json& t) { t["model"]["vocab"]["a"] = -1; });
        changed("ids of 2^60", [](Json& t) { t["model"]["vocab"]["a"] = std::int64_t{1} << 60; });
        changed(
            "another kind", [](Json& t) { t["model"]["type"] = "Astrology"; }, "unsupported");
    }

    void tokenizers() {
        QFETCH(QByteArray, text);
        QFETCH(QString, code);
        const QTemporaryDir folder;
        write_file(folder.filePath("tokenizer.json"), text);
        verify_refused(run_program({"tokenize", folder.path(), "--prompt", "The ship", "--json", "--quiet"}),
                       1, code);
    }
};

QTEST_GUILESS_MAIN(TestCliBadModels)
#include "test_cli_bad_models.moc"
