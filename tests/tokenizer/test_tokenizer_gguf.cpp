// Tokenizers of GGUF files against the ids that llama.cpp gives (vocabularies, inputs and ids: llama.cpp,
// MIT).
#include <fstream>

#include <fmt/format.h>

#include <QTemporaryDir>
#include <QtTest>

#include "core/formats/gguf_header.h"
#include "core/tokenizer/gguf_pre_tokenizers.h"
#include "core/tokenizer/gguf_tokenizer.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/tokenizer/xz.h"

using namespace vitrine;
using namespace vitrine::tokenizer;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(VITRINE_FIXTURES) / "tokenizer";

std::vector<std::string> split(const std::string& text, const std::string& separator) {
    std::vector<std::string> parts;
    std::size_t at = 0;
    for (std::size_t end = text.find(separator); end != std::string::npos; end = text.find(separator, at)) {
        parts.push_back(text.substr(at, end - at));
        at = end + separator.size();
    }
    return parts;
}

GgufTokenizer small(const char* model) {
    GgufTokenizer metadata;
    metadata.model = model;
    metadata.tokens = {"<unk>", "<s>", "</s>", "a", "b", "ab", "\u2581", "\u2581a"};
    return metadata;
}

std::string refusal(GgufTokenizer metadata) {
    const auto tokenizer = Tokenizer::from_gguf(std::move(metadata), "x.gguf");
    return tokenizer ? std::string("none") : tokenizer.error().message;
}

} // namespace

class TestTokenizerGguf : public QObject {
    Q_OBJECT

private slots:
    void ids_are_those_of_llama_cpp_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"llama-spm", "bert-bge", "gpt-2", "starcoder", "deepseek-coder"})
            QTest::newRow(name) << name;
    }

    void ids_are_those_of_llama_cpp() {
        QFETCH(QString, name);
        const std::string base = "ggml-vocab-" + name.toStdString() + ".gguf";
        const std::string file = read_xz(fixtures / (base + ".xz"));
        const auto header = formats::parse_gguf_header(std::as_bytes(std::span(file)), base);
        QVERIFY2(header, header ? "" : header.error().message.c_str());
        const auto tokenizer = Tokenizer::from_gguf(header->metadata, base);
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        const auto inputs = split(read_xz(fixtures / "ggml-vocab.inp.xz"), "\n__ggml_vocab_test__\n");
        const auto lines = split(read_xz(fixtures / (base + ".out.xz")), "\n");
        QVERIFY(inputs.size() > 40);
        QVERIFY(lines.size() >= inputs.size());
        for (std::size_t i = 0; i < inputs.size(); ++i) {
            const auto tokens = tokenizer->encode(inputs[i], Specials::none);
            std::string ids;
            for (const Token& token : tokens.value())
                ids += fmt::format(" {}", token.id);
            QCOMPARE(ids, lines[i]);
        }
    }

    void a_file_is_opened_by_its_path() {
        const QTemporaryDir folder;
        const fs::path path = fs::path(folder.path().toStdString()) / "x.gguf";
        std::ofstream(path, std::ios::binary) << read_xz(fixtures / "ggml-vocab-llama-spm.gguf.xz");
        const auto tokenizer = Tokenizer::load(path);
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        QCOMPARE(tokenizer->size(), std::size_t{32000});
    }

    void special_tokens_are_put_around() {
        auto llama = small("llama");
        llama.scores = {0, 0, 0, -3, -3, -1, -3, -2};
        llama.kinds = {2, 3, 3, 1, 1, 1, 1, 1};
        const auto tokenizer = Tokenizer::from_gguf(llama, "x.gguf");
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        std::vector<std::int32_t> ids;
        const auto tokens = tokenizer->encode("ab</s>a");
        for (const Token& token : tokens.value())
            ids.push_back(token.id);
        QCOMPARE(ids, (std::vector<std::int32_t>{1, 6, 5, 2, 7}));
        QCOMPARE(tokenizer->bos(), std::optional<std::int32_t>(1));

        // Gemma merges by id: "a" and its mark make the later token.
        llama.architecture = "gemma3";
        llama.scores = {0, 0, 0, -3, -3, -9, -3, -2};
        const auto gemma = Tokenizer::from_gguf(llama, "x.gguf");
        const auto gemma_tokens = gemma->encode("ab", Specials::none);
        QCOMPARE(gemma_tokens->back().id, 5);
    }

    void what_is_wrong_is_said() {
        QVERIFY(refusal(small("rwkv")).find("\"rwkv\"") != std::string::npos);
        auto pre = small("gpt2");
        pre.pre = "future";
        QVERIFY(refusal(pre).find("\"future\"") != std::string::npos);
        auto scores = small("llama");
        scores.scores = {1, 2};
        QVERIFY(refusal(scores).find("8 tokens but 2 entries") != std::string::npos);
        auto beyond = small("llama");
        beyond.bos = 99;
        QVERIFY(refusal(beyond).find("special token 99") != std::string::npos);
        auto merges = small("gpt2");
        merges.pre = "gpt-2";
        merges.merges = {"ab"};
        QVERIFY(refusal(merges).find("merge 1") != std::string::npos);
    }

    void every_way_to_split_words_compiles() {
        for (const char* pre : {"gpt-2", "llama-bpe", "dbrx", "qwen2", "smollm", "falcon", "default",
                                "deepseek-coder", "deepseek-v3", "tekken", "gpt-4o", "bloom", "viking"}) {
            auto metadata = small("gpt2");
            metadata.pre = pre;
            metadata.bos = 1;
            metadata.merges = {"a b"};
            const auto tokenizer = Tokenizer::from_gguf(metadata, "x.gguf");
            QVERIFY2(tokenizer, tokenizer ? pre : tokenizer.error().message.c_str());
            QCOMPARE(tokenizer->encode("ab", Specials::none)->size(), std::size_t{1});
        }
    }
};

QTEST_GUILESS_MAIN(TestTokenizerGguf)
#include "test_tokenizer_gguf.moc"
