// Ids, offsets and decoded text of hard strings, exactly as the `tokenizers` library gives them.
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

void unpack(const fs::path& packed, const fs::path& place) {
    std::ofstream(place, std::ios::binary) << with_char_map(read_xz(packed), fixtures);
}

std::string shown(const std::vector<Token>& tokens) {
    std::string text;
    for (const auto& token : tokens)
        text += fmt::format(" {}[{},{}]", token.id, token.start, token.end);
    return text;
}

} // namespace

class TestTokenizerGoldens : public QObject {
    Q_OBJECT

    Json strings_;

private slots:
    void initTestCase() {
        strings_ = *parse_json(read_xz(fixtures / "hard_strings.json.xz"), "hard strings");
    }

    void tokens_are_those_of_the_library_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QStringList>("files");
        QTest::newRow("GPT-2") << "gpt2" << QStringList{"encoder.json", "vocab.bpe"};
        QTest::newRow("GPT-NeoX") << "gpt-neox" << QStringList{"tokenizer.json"};
        QTest::newRow("Qwen 3") << "qwen3" << QStringList{"tokenizer.json"};
        QTest::newRow("TinyStories") << "TinyStories-656K" << QStringList{"tokenizer.json"};
        QTest::newRow("Unigram") << "unigram" << QStringList{"tokenizer.json"};
        QTest::newRow("WordPiece") << "wordpiece" << QStringList{"tokenizer.json"};
        QTest::newRow("WordLevel") << "wordlevel" << QStringList{"tokenizer.json"};
        for (const char* name : {"spm-bpe", "spm-bpe-rules", "spm-unigram", "spm-unigram-bytes"})
            QTest::newRow(name) << name << QStringList{"model"};
        QTest::newRow("default model") << "vitrine-tiny" << QStringList{}; // where it is shipped
    }

    void tokens_are_those_of_the_library() {
        QFETCH(QString, name);
        QFETCH(QStringList, files);
        const QTemporaryDir folder;
        for (const QString& file : files)
            unpack(fixtures / (name + "." + file + ".xz").toStdString(),
                   (folder.path() + "/" + (file == "model" ? "tokenizer.model" : file)).toStdString());
        const fs::path shipped = fs::path(VITRINE_RESOURCES) / "models" / name.toStdString();
        const auto loaded =
            Tokenizer::load(files.isEmpty() ? shipped : fs::path(folder.path().toStdString()));
        QVERIFY2(loaded, loaded ? "" : loaded.error().message.c_str());
        const auto goldens =
            parse_json(read_xz(fixtures / (name + ".golden.json.xz").toStdString()), "goldens");
        QCOMPARE(goldens->size(), strings_.size());

        int wrong = 0;
        for (std::size_t i = 0; i < strings_.size() && wrong < 20; ++i) {
            const auto& text = strings_[i].get_ref<const std::string&>();
            const auto& golden = (*goldens)[i];
            std::vector<Token> expected;
            std::vector<std::int32_t> ids;
            for (std::size_t k = 0; k < golden[0].size(); ++k) {
                ids.push_back(golden[0][k].get<std::int32_t>());
                expected.push_back({ids.back(), golden[1][k].get<std::uint32_t>(),
                                    golden[2][k].get<std::uint32_t>(), loaded->is_special(ids.back())});
            }
            const auto tokens = loaded->encode(text);
            QVERIFY2(tokens, tokens ? "" : tokens.error().message.c_str());
            const std::string decoded = loaded->decode(ids, false);
            const std::string expected_text = golden[3].is_string() ? golden[3].get<std::string>() : text;
            if (*tokens == expected && (golden[3].is_boolean() || decoded == expected_text)) continue;
            ++wrong;
            qWarning().noquote() << "string" << i << QString::fromStdString(dump_json(text)).left(200)
                                 << "\n expected" << QString::fromStdString(shown(expected)).left(600)
                                 << "\n      got" << QString::fromStdString(shown(*tokens)).left(600)
                                 << "\n decoded" << QString::fromStdString(dump_json(decoded)).left(200);
        }
        QCOMPARE(wrong, 0);
    }
};

QTEST_GUILESS_MAIN(TestTokenizerGoldens)
#include "test_tokenizer_goldens.moc"
