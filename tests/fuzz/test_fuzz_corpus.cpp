// Replays what the fuzzers found interesting, through the same entry functions.
#include <filesystem>

#include <QtTest>

#include "core/base/mapped_file.h"
#include "tests/fuzz/entries.h"

namespace fs = std::filesystem;

class TestFuzzCorpus : public QObject {
    Q_OBJECT

    static std::vector<fs::path> inputs(const char* folder) {
        std::vector<fs::path> paths;
        for (const auto& entry : fs::directory_iterator(fs::path(VITRINE_FIXTURES) / "fuzz" / folder))
            paths.push_back(entry.path());
        return paths;
    }

private slots:
    void safetensors() {
        const auto paths = inputs("safetensors");
        QVERIFY(paths.size() > 20);
        for (const auto& path : paths) {
            const std::string bytes = vitrine::read_text(path).value();
            QVERIFY2(survives_as_safetensors(std::as_bytes(std::span(bytes))), path.c_str());
        }
    }

    void tokenizers() {
        const auto paths = inputs("tokenizer");
        QVERIFY(paths.size() > 20);
        for (const auto& path : paths)
            QVERIFY2(survives_as_tokenizer(vitrine::read_text(path).value()), path.c_str());
    }
};

QTEST_GUILESS_MAIN(TestFuzzCorpus)
#include "test_fuzz_corpus.moc"
