// What a tokenizer gives beside ids, and one clear sentence for each thing that can be wrong with its files.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include <QTemporaryDir>
#include <QtTest>

#include "core/tokenizer/regex.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/tokenizer/xz.h"

using namespace vitrine;
using namespace vitrine::tokenizer;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(VITRINE_FIXTURES) / "tokenizer";

/// JSON with ' for ": moc does not survive raw string literals.
std::string json(std::string text) {
    std::replace(text.begin(), text.end(), '\'', '"');
    return text;
}

std::vector<std::int32_t> ids_of(const std::vector<Token>& tokens) {
    std::vector<std::int32_t> ids;
    for (const auto& token : tokens)
        ids.push_back(token.id);
    return ids;
}

const char* const tiny_model = "{'type':'BPE','vocab':{'a':0,'b':1,'ab':2},'merges':['a b']}";

} // namespace

class TestTokenizer : public QObject {
    Q_OBJECT

    QTemporaryDir temporary_;
    fs::path folder_ = temporary_.path().toStdString();
    std::optional<Tokenizer> gpt2_;
    std::optional<Tokenizer> stories_;

    fs::path empty_folder() const {
        const fs::path folder = folder_ / "case";
        fs::remove_all(folder);
        fs::create_directory(folder);
        return folder;
    }

    Tokenizer unpacked(const std::string& name, const std::vector<std::string>& files) const {
        const fs::path folder = empty_folder();
        for (const auto& file : files)
            std::ofstream(folder / file, std::ios::binary) << read_xz(fixtures / (name + "." + file + ".xz"));
        return std::move(Tokenizer::load(folder).value());
    }

private slots:
    void initTestCase() {
        gpt2_ = unpacked("gpt2", {"encoder.json", "vocab.bpe"});
        stories_ = unpacked("TinyStories-656K", {"tokenizer.json"});
    }

    void names_and_sizes() {
        QCOMPARE(gpt2_->name(), std::string("BPE (byte-level)"));
        QCOMPARE(gpt2_->size(), std::size_t{50257});
        QCOMPARE(stories_->name(), std::string("BPE (byte fallback)"));
        QCOMPARE(stories_->size(), std::size_t{2048});
        QCOMPARE(gpt2_->hash().size(), std::size_t{64});
        QVERIFY(gpt2_->hash() != stories_->hash());
        QVERIFY(gpt2_->warnings().empty());
    }

    void bos_and_eos_are_found() {
        QCOMPARE(gpt2_->bos(), std::optional(50256)); // no settings: GPT-2's own
        QCOMPARE(gpt2_->eos(), std::optional(50256));
        QCOMPARE(stories_->bos(), std::optional(1)); // its template's
        QCOMPARE(stories_->eos(), std::optional<std::int32_t>());
    }

    void settings_name_bos_and_eos() {
        const fs::path folder = empty_folder();
        std::ofstream(folder / "tokenizer.json")
            << json("{'model':{'type':'BPE','vocab':{'a':0,'<s>':1,'</s>':2},'merges':[]},"
                    "'added_tokens':[{'id':1,'content':'<s>','special':true},{'id':2,'content':'</"
                    "s>','special':true}]}");
        std::ofstream(folder / "tokenizer_config.json")
            << json("{'bos_token':{'content':'<s>'},'eos_token':null}");
        std::ofstream(folder / "generation_config.json") << json("{'bos_token_id':0,'eos_token_id':[2,0]}");
        const auto tokenizer = Tokenizer::load(folder);
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        QCOMPARE(tokenizer->bos(), std::optional(1));
        QCOMPARE(tokenizer->eos(), std::optional(2));
        QCOMPARE(ids_of(*tokenizer->encode("a<s>", Specials::always_bos)),
                 (std::vector<std::int32_t>{1, 0, 1}));
    }

    void special_tokens_by_choice() {
        const auto ids = [](const Tokenizer& tokenizer, Specials specials) {
            return ids_of(tokenizer.encode("a", specials).value());
        };
        QCOMPARE(ids(*gpt2_, Specials::by_template), (std::vector<std::int32_t>{64}));
        QCOMPARE(ids(*gpt2_, Specials::always_bos), (std::vector<std::int32_t>{50256, 64}));
        QCOMPARE(ids(*gpt2_, Specials::never_bos), (std::vector<std::int32_t>{64}));
        const auto bare = ids(*stories_, Specials::none);
        QVERIFY(!bare.empty() && bare.front() != 1);
        std::vector<std::int32_t> with_bos = bare;
        with_bos.insert(with_bos.begin(), 1);
        QCOMPARE(ids(*stories_, Specials::by_template), with_bos);
        QCOMPARE(ids(*stories_, Specials::always_bos), with_bos);
        QCOMPARE(ids(*stories_, Specials::never_bos), bare);
        QVERIFY(stories_->encode("a")->front().special);
        QVERIFY(!stories_->encode("a")->back().special);
    }

    void no_bos_to_put_before_the_text() {
        const auto tokenizer = Tokenizer::from_json(json(std::string("{'model':") + tiny_model + "}"), "t");
        QCOMPARE(tokenizer->encode("ab", Specials::always_bos).error().code, Code::usage);
        QCOMPARE(ids_of(*tokenizer->encode("ab")), (std::vector<std::int32_t>{2}));
    }

    void single_tokens() {
        QCOMPARE(gpt2_->id_of("Ġthe"), std::optional(262));
        QCOMPARE(gpt2_->single_token(" the"), std::optional(262));
        QCOMPARE(gpt2_->single_token("the cat"), std::optional<std::int32_t>());
        QCOMPARE(gpt2_->single_token(""), std::optional<std::int32_t>());
        QCOMPARE(gpt2_->token_bytes(262), std::string(" the"));
        QCOMPARE(gpt2_->token_bytes(50256), std::string("<|endoftext|>"));
        QCOMPARE(gpt2_->token_bytes(-1), std::string());
        QCOMPARE(gpt2_->token_bytes(60000), std::string());
    }

    void a_part_of_a_character_has_bytes_but_no_text() {
        const auto tokens = gpt2_->encode("𠜎");
        QVERIFY(tokens->size() > 1);
        std::string bytes;
        for (const auto& token : *tokens) {
            bytes += gpt2_->token_bytes(token.id);
            QCOMPARE(token.start, 0U);
            QCOMPARE(token.end, 4U);
        }
        QCOMPARE(bytes, std::string("𠜎"));
        QCOMPARE(gpt2_->token_text(tokens->front().id), std::string("\xEF\xBF\xBD"));
        QCOMPARE(gpt2_->decode(ids_of(*tokens), false), std::string("𠜎"));
        QCOMPARE(gpt2_->decode(std::vector{tokens->front().id}, false), std::string("\xEF\xBF\xBD"));
    }

    void the_bytes_of_tokens_make_the_text() {
        for (const char* text : {"It's  a\n\ttest: naïve 日本 🙂", "   ", "\n\n"}) {
            std::string bytes;
            const auto tokens = gpt2_->encode(text);
            for (const auto& token : *tokens)
                bytes += gpt2_->token_bytes(token.id);
            QCOMPARE(bytes, std::string(text));
        }
        QCOMPARE(stories_->token_bytes(80), std::string(" "));
    }

    void skipping_special_tokens() {
        const auto tokens = stories_->encode("Once upon a time <|end_story|>");
        QCOMPARE(stories_->decode(ids_of(*tokens), true), std::string("Once upon a time"));
    }

    void invalid_utf8_names_its_byte_data() {
        QTest::addColumn<QByteArray>("text");
        QTest::addColumn<int>("at");
        QTest::newRow("continuation") << QByteArray("ab\x80") << 2;
        QTest::newRow("cut off") << QByteArray("ab\xE2\x82") << 2;
        QTest::newRow("overlong") << QByteArray("\xC0\xAF") << 0;
        QTest::newRow("overlong of three") << QByteArray("x\xE0\x80\x80") << 1;
        QTest::newRow("surrogate") << QByteArray("é\xED\xA0\x80") << 2;
        QTest::newRow("beyond Unicode") << QByteArray("abc\xF4\x90\x80\x80") << 3;
        QTest::newRow("no UTF-8 byte") << QByteArray("a\xFF") << 1;
    }

    void invalid_utf8_names_its_byte() {
        QFETCH(QByteArray, text);
        QFETCH(int, at);
        const auto tokens = gpt2_->encode(text.toStdString());
        QVERIFY(!tokens);
        QCOMPARE(tokens.error().code, Code::malformed);
        QVERIFY2(tokens.error().message.find(fmt::format("byte {} ", at)) != std::string::npos,
                 tokens.error().message.c_str());
    }

    void a_megabyte_without_spaces_is_one_word() {
        // Without a pre-tokenizer; quadratic merging would take an hour.
        std::string text;
        while (text.size() < (std::size_t{1} << 20))
            text += "onceuponatimetherewas";
        const auto tokens = stories_->encode(text, Specials::none);
        QVERIFY(tokens);
        std::string bytes;
        for (const auto& token : *tokens)
            bytes += stories_->token_bytes(token.id);
        QCOMPARE(bytes, " " + text);
        for (std::size_t i = 2; i < tokens->size(); ++i)
            QCOMPARE((*tokens)[i].start, (*tokens)[i - 1].end);
    }

    void threads_may_share_a_tokenizer() {
        const std::string text = "The old man and the sea, again and again; naïve, 日本語 and 12345.";
        const std::vector<Token> expected = gpt2_->encode(text).value();
        std::vector<std::thread> threads;
        std::atomic<int> different{0};
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&] {
                for (int repeat = 0; repeat < 200; ++repeat)
                    if (gpt2_->encode(text).value() != expected) ++different;
            });
        for (auto& thread : threads)
            thread.join();
        QCOMPARE(different.load(), 0);
    }

    void bad_files_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<Code>("code");
        QTest::addColumn<QString>("says");
        const auto row = [](const char* name, const QString& text, Code code, const char* says) {
            QTest::newRow(name) << text << code << says;
        };
        const auto with = [](const char* member) {
            return QString("{'model':%1,%2}").arg(tiny_model, member);
        };
        const auto model = [](const char* members) { return QString("{'model':{%1}}").arg(members); };
        row("empty", "", Code::malformed, "is not valid JSON");
        row("cut off", "{'model':{'type':'BPE','vocab':{'a'", Code::malformed, "is not valid JSON");
        row("brackets", QString(1000000, '['), Code::too_large, "nested deeper than 100 levels");
        row("brackets in a list",
            QString("{'model':{'type':") + QString(100000, '[') + QString(100000, ']') + "}}",
            Code::too_large, "nested deeper than 100 levels");
        row("a list", "[]", Code::malformed, "no \"model\"");
        row("no model", "{'version':'1.0'}", Code::malformed, "no \"model\"");
        row("model is a text", "{'model':'BPE'}", Code::malformed, "no \"model\"");
        row("model without type", model("'vocab':{'a':0}"), Code::malformed, "no \"type\"");
        row("foreign model", model("'type':'Frobnicate'"), Code::unsupported, "\"Frobnicate\"");
        row("no merges", model("'type':'BPE','vocab':{'a':0}"), Code::malformed, "has no list \"merges\"");
        row("no vocabulary", model("'type':'BPE','merges':[]"), Code::malformed, "no \"vocab\"");
        row("empty vocabulary", model("'type':'BPE','vocab':{},'merges':[]"), Code::malformed,
            "empty \"vocab\"");
        row("id is a text", model("'type':'BPE','vocab':{'a':'0'},'merges':[]"), Code::malformed,
            "not a number");
        row("negative id", model("'type':'BPE','vocab':{'a':-1},'merges':[]"), Code::malformed,
            "not a number");
        row("id of 2^60", model("'type':'BPE','vocab':{'a':1152921504606846976},'merges':[]"),
            Code::malformed, "far beyond its 1 tokens");
        row("one id twice", model("'type':'BPE','vocab':{'a':0,'b':0},'merges':[]"), Code::malformed,
            "both have the id 0");
        row("merge of three", model("'type':'BPE','vocab':{'a':0},'merges':['a a a']"), Code::malformed,
            "merge 1 is not a pair");
        row("merge of numbers", model("'type':'BPE','vocab':{'a':0},'merges':[[1,2]]"), Code::malformed,
            "merge 1 is not a pair");
        row("merge of unknown tokens", model("'type':'BPE','vocab':{'a':0},'merges':['a b']"),
            Code::malformed, "lacks the second");
        row("merge into nothing", model("'type':'BPE','vocab':{'a':0,'b':1},'merges':['a b']"),
            Code::malformed, "lacks the result");
        row("flag is a number", model("'type':'BPE','vocab':{'a':0},'merges':[],'fuse_unk':1"),
            Code::malformed, "\"fuse_unk\" has a value of the wrong type");
        row("foreign normalizer", with("'normalizer':{'type':'Shout'}"), Code::unsupported,
            "normalizer type \"Shout\"");
        row("foreign pre-tokenizer", with("'pre_tokenizer':{'type':'Guess'}"), Code::unsupported,
            "pre-tokenizer type \"Guess\"");
        row("foreign post-processor", with("'post_processor':{'type':'Polish'}"), Code::unsupported,
            "post-processor type \"Polish\"");
        row("foreign decoder", with("'decoder':{'type':'Enigma'}"), Code::unsupported,
            "decoder type \"Enigma\"");
        row("foreign within", with("'normalizer':{'type':'Sequence','normalizers':[{'type':'Shout'}]}"),
            Code::unsupported, "normalizer type \"Shout\"");
        row("normalizer is a text", with("'normalizer':'NFC'"), Code::malformed, "is not an object");
        row("sequence of nothing", with("'normalizer':{'type':'Sequence'}"), Code::malformed,
            "no list \"normalizers\"");
        row("broken pattern", with("'pre_tokenizer':{'type':'Split','pattern':{'Regex':'(a'}}"),
            Code::malformed, "PCRE2 does not accept");
        row("pattern of no kind", with("'pre_tokenizer':{'type':'Split','pattern':{'Glob':'a'}}"),
            Code::malformed, "a String or a Regex");
        row("foreign behaviour",
            with("'pre_tokenizer':{'type':'Split','pattern':{'String':'a'},'behavior':'Glued'}"),
            Code::malformed, "unknown value \"Glued\"");
        row("mark of two characters", with("'pre_tokenizer':{'type':'Metaspace','replacement':'__'}"),
            Code::malformed, "must be one character");
        row("template without text", with("'post_processor':{'type':'TemplateProcessing','single':[]}"),
            Code::malformed, "must hold the text once");
        row("template without ids",
            with("'post_processor':{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'<s>'}},"
                 "{'Sequence':{'id':'A'}}],'special_tokens':{}}"),
            Code::malformed, "gives no ids for it");
        row("added token without content", with("'added_tokens':[{'id':3}]"), Code::malformed,
            "no \"content\"");
        row("added token is a text", with("'added_tokens':['<s>']"), Code::malformed, "is not an object");
        QString deep = "{'type':'NFC'}";
        for (int i = 0; i < 40; ++i)
            deep = "{'type':'Sequence','normalizers':[" + deep + "]}";
        row("nested without end", with(("'normalizer':" + deep).toUtf8().constData()), Code::too_large,
            "nested deeper than");
    }

    void bad_files() {
        QFETCH(QString, text);
        QFETCH(QString, says);
        const fs::path folder = empty_folder();
        std::ofstream(folder / "tokenizer.json") << json(text.toStdString());
        const auto tokenizer = Tokenizer::load(folder);
        QVERIFY(!tokenizer);
        const QString message = QString::fromStdString(tokenizer.error().message);
        QVERIFY2(message.contains(says), qPrintable(message));
        QVERIFY2(message.contains("tokenizer.json") && message.endsWith('.'), qPrintable(message));
        QTEST(tokenizer.error().code, "code");
    }

    void bad_folders_data() {
        QTest::addColumn<QString>("vocab");
        QTest::addColumn<QString>("merges");
        QTest::addColumn<QString>("says");
        QTest::newRow("nothing") << QString() << QString() << "has no tokenizer";
        QTest::newRow("vocabulary alone") << "{'a':0}" << QString() << "but not merges.txt";
        QTest::newRow("no merges") << "{'a':0}"
                                   << "#version: 0.2\n"
                                   << "merges.txt has no merges";
        QTest::newRow("broken merge") << "{'a':0,'b':1,'ab':2}"
                                      << "a b\nab\n"
                                      << "line 2 is not a pair";
        QTest::newRow("unknown merge") << "{'a':0}"
                                       << "a b\n"
                                       << "lacks the second";
        QTest::newRow("broken vocabulary") << "{'a'"
                                           << "a b\n"
                                           << "vocab.json is not valid JSON";
        QTest::newRow("vocabulary is a list") << "[]"
                                              << "a b\n"
                                              << "vocab.json must hold a JSON object";
    }

    void bad_folders() {
        QFETCH(QString, vocab);
        QFETCH(QString, merges);
        QFETCH(QString, says);
        const fs::path folder = empty_folder();
        if (!vocab.isEmpty()) std::ofstream(folder / "vocab.json") << json(vocab.toStdString());
        if (!merges.isEmpty()) std::ofstream(folder / "merges.txt") << merges.toStdString();
        const auto tokenizer = Tokenizer::load(folder);
        QVERIFY(!tokenizer);
        QVERIFY2(QString::fromStdString(tokenizer.error().message).contains(says),
                 tokenizer.error().message.c_str());
    }

    void a_missing_folder() { QCOMPARE(Tokenizer::load(folder_ / "missing").error().code, Code::not_found); }

    void an_unknown_character_without_its_unk_token() {
        const auto tokenizer = Tokenizer::from_json(
            json("{'model':{'type':'BPE','vocab':{'a':0},'merges':[],'unk_token':'<unk>'}}"), "t");
        QVERIFY(tokenizer->encode("a"));
        QVERIFY(tokenizer->encode("b").error().message.find("unk_token \"<unk>\"") != std::string::npos);
    }

    void a_catastrophic_pattern_is_an_error() {
        const auto tokenizer = Tokenizer::from_json(
            json(std::string("{'model':") + tiny_model +
                 ",'pre_tokenizer':{'type':'Split','pattern':{'Regex':'(a|aa)+$'},'behavior':'Isolated'}}"),
            "t");
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        const auto tokens = tokenizer->encode(std::string(5000, 'a') + "b");
        QVERIFY(!tokens);
        QCOMPARE(tokens.error().code, Code::unsupported);
    }

    void missing_bytes_are_a_warning() {
        const auto tokenizer = Tokenizer::from_json(
            json(std::string("{'model':") + tiny_model + ",'pre_tokenizer':{'type':'ByteLevel'}}"), "t");
        QCOMPARE(tokenizer->warnings().size(), std::size_t{1});
        QVERIFY(tokenizer->warnings()[0].starts_with("The vocabulary lacks 254 of the 256 bytes"));
    }

    void patterns_are_spelled_for_pcre2() {
        QCOMPARE(from_oniguruma("\\p{L}+"), std::string("\\p{L}+"));
        QCOMPARE(from_oniguruma("[\\h]\\H"), std::string("[0-9A-Fa-f][^0-9A-Fa-f]"));
        QCOMPARE(from_oniguruma("[[:alpha:]\\h]"), std::string("[[:alpha:]0-9A-Fa-f]"));
        QCOMPARE(from_oniguruma("\\\\s"), std::string("\\\\s"));
        const auto space = Regex::compile("^\\s$", "");
        QVERIFY(space->search("\u2003", 0)->has_value());
        QVERIFY(!space->search("\u180e", 0)->has_value());
        const auto no_space = Regex::compile("^\\S$", "");
        QVERIFY(no_space->search("\u180e", 0)->has_value());
    }
};

QTEST_GUILESS_MAIN(TestTokenizer)
#include "test_tokenizer.moc"
