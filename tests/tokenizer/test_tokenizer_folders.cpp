// Folders without tokenizer.json: what their settings change, and what is said when a file is damaged.
#include <fstream>

#include <fmt/format.h>

#include <QTemporaryDir>
#include <QtTest>

#include "core/base/json.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/tokenizer/xz.h"

using namespace vitrine;
using namespace vitrine::tokenizer;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(VITRINE_FIXTURES) / "tokenizer";

std::vector<std::int32_t> ids_of(const std::vector<Token>& tokens) {
    std::vector<std::int32_t> ids;
    for (const auto& token : tokens)
        ids.push_back(token.id);
    return ids;
}

std::string spelled(const Tokenizer& tokenizer, std::string_view text) {
    std::string all;
    const auto tokens = tokenizer.encode(text);
    for (const auto& token : tokens.value())
        all += fmt::format("{}|", tokenizer.token_text(token.id));
    return all;
}

} // namespace

class TestTokenizerFolders : public QObject {
    Q_OBJECT

    QTemporaryDir temporary_;
    fs::path folder_;
    int count_ = 0;

    void write(const char* name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }

private slots:
    void init() {
        folder_ = fs::path(temporary_.path().toStdString()) / fmt::format("{}", count_++);
        fs::create_directory(folder_);
    }

    void vocab_txt_is_the_same_tokenizer_as_its_json() {
        const auto json = *parse_json(read_xz(fixtures / "wordpiece.tokenizer.json.xz"), "tokenizer");
        std::vector<std::string> tokens(json["model"]["vocab"].size());
        for (const auto& [token, id] : json["model"]["vocab"].items())
            tokens[id.get<std::size_t>()] = token;
        std::string lines;
        for (const auto& token : tokens)
            lines += token + "\n";
        write("vocab.txt", lines);
        const auto tokenizer = Tokenizer::load(folder_);
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        const auto strings = *parse_json(read_xz(fixtures / "hard_strings.json.xz"), "strings");
        const auto goldens = *parse_json(read_xz(fixtures / "wordpiece.golden.json.xz"), "goldens");
        int compared = 0;
        for (std::size_t i = 0; i < strings.size(); ++i) {
            const auto text = strings[i].get<std::string>();
            if (text.find("<|endoftext|>") != std::string::npos) continue; // added there, not here
            ++compared;
            QCOMPARE(ids_of(tokenizer->encode(text).value()), goldens[i][0].get<std::vector<std::int32_t>>());
        }
        QVERIFY(compared > 1700);
    }

    void two_files_with_settings() {
        write("vocab.json", "{\"a\":0,\"b\":1,\"ab\":2,\"\\u0120\":3,\"</s>\":4}");
        write("merges.txt", "#version: 0.2\na b\n");
        write("added_tokens.json", "{\"<pad>\":5,\"<mask>\":6}");
        write("special_tokens_map.json", "{\"bos_token\":{\"content\":\"</s>\"},\"pad_token\":\"<pad>\"}");
        const auto plain = Tokenizer::load(folder_);
        QVERIFY2(plain, plain ? "" : plain.error().message.c_str());
        QCOMPARE(spelled(*plain, "ab<pad>a<mask>"), std::string("ab|<pad>|a|<mask>|"));
        QCOMPARE(ids_of(plain->encode("ab<pad>").value()), (std::vector<std::int32_t>{2, 5}));
        QVERIFY(plain->is_special(5) && !plain->is_special(6));

        write("tokenizer_config.json",
              "{\"add_bos_token\":true,\"add_prefix_space\":true,\"bos_token\":\"</s>\"}");
        QCOMPARE(spelled(Tokenizer::load(folder_).value(), "ab"), std::string("</s>| |ab|"));
    }

    void settings_of_a_sentencepiece_model() {
        write("tokenizer.model", read_xz(fixtures / "spm-bpe.model.xz"));
        QCOMPARE(spelled(Tokenizer::load(folder_).value(), "a<s>a"), std::string(" a|<s>| a|"));
        write("tokenizer_config.json", "{\"legacy\":false,\"add_eos_token\":true}");
        write("config.json", "{\"model_type\":\"llama\"}");
        const auto llama = Tokenizer::load(folder_);
        QCOMPARE(spelled(*llama, "a<s>a"), std::string("<s>| a|<s>|a|</s>|"));
        QCOMPARE(llama->bos(), llama->id_of("<s>"));
        write("tokenizer_config.json", "{\"add_prefix_space\":false,\"add_bos_token\":false}");
        QCOMPARE(spelled(Tokenizer::load(folder_).value(), "a"), std::string("a|"));
    }

    void a_model_cut_off_anywhere_is_refused_in_words() {
        const std::string whole = read_xz(fixtures / "spm-bpe.model.xz");
        for (std::size_t size = 0; size < whole.size(); size += 97) {
            write("tokenizer.model", whole.substr(0, size));
            const auto tokenizer = Tokenizer::load(folder_);
            // The fields come one after another: a cut between two leaves a smaller model.
            if (tokenizer) continue;
            QVERIFY(tokenizer.error().code == Code::malformed);
            QVERIFY(tokenizer.error().message.find("tokenizer.model") != std::string::npos);
        }
    }

    void bad_files_data() {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<QString>("sentence");
        QTest::newRow("text") << QByteArray("hello") << "wire type 4";
        QTest::newRow("empty") << QByteArray() << "has no pieces";
        QTest::newRow("wire type") << QByteArray("\x0F", 1) << "wire type 7";
        QTest::newRow("twice") << QByteArray("\x0A\x03\x0A\x01\x61\x0A\x03\x0A\x01\x61", 10) << "twice";
        QTest::newRow("kind of piece") << QByteArray("\x0A\x05\x0A\x01\x61\x18\x09", 7) << "unknown type 9";
        QTest::newRow("no unknown") << QByteArray("\x0A\x03\x0A\x01\x61", 5) << "no unknown piece";
        QTest::newRow("words") << QByteArray("\x0A\x03\x0A\x01\x61\x12\x02\x18\x03", 9)
                               << "words or characters";
        QTest::newRow("rules") << QByteArray("\x0A\x03\x0A\x01\x61\x1A\x04\x12\x02\x01\x02", 11) << "cut off";
    }

    void bad_files() {
        QFETCH(QByteArray, bytes);
        QFETCH(QString, sentence);
        write("tokenizer.model", bytes.toStdString());
        const auto tokenizer = Tokenizer::load(folder_);
        QVERIFY(!tokenizer);
        QVERIFY2(QString::fromStdString(tokenizer.error().message).contains(sentence),
                 tokenizer.error().message.c_str());
    }
};

QTEST_GUILESS_MAIN(TestTokenizerFolders)
#include "test_tokenizer_folders.moc"
