// Replays what the fuzzers found interesting, through the same entry functions.
#include <filesystem>

#include <QtTest>

#include "core/base/mapped_file.h"
#include "tests/fuzz/entries.h"

namespace fs = std::filesystem;

class TestFuzzCorpus : public QObject {
    Q_OBJECT

    static std::vector<fs::path> files(const std::string& folder) {
        std::vector<fs::path> paths;
        for (const auto& entry : fs::directory_iterator(fs::path(VITRINE_FIXTURES) / "fuzz" / folder))
            paths.push_back(entry.path());
        return paths;
    }

private slots:
    void inputs_data() {
        QTest::addColumn<QString>("folder");
        for (const char* folder : {"safetensors", "tokenizer", "gguf", "torch", "sentencepiece", "chat"})
            QTest::newRow(folder) << folder;
    }

    void inputs() {
        QFETCH(QString, folder);
        const auto paths = files(folder.toStdString());
        QVERIFY(paths.size() > 10);
        for (const auto& path : paths) {
            const std::string text = vitrine::read_text(path).value();
            const auto bytes = std::as_bytes(std::span(text));
            const bool survives = folder == "safetensors"     ? survives_as_safetensors(bytes)
                                  : folder == "tokenizer"     ? survives_as_tokenizer(text)
                                  : folder == "gguf"          ? survives_as_gguf(bytes)
                                  : folder == "torch"         ? survives_as_torch(bytes)
                                  : folder == "sentencepiece" ? survives_as_sentencepiece(text)
                                                              : survives_as_chat_template(text);
            QVERIFY2(survives, path.c_str());
        }
    }
};

QTEST_GUILESS_MAIN(TestFuzzCorpus)
#include "test_fuzz_corpus.moc"
