// Conversations from a model's files to ids, against `transformers`, and a sentence for each thing that can
// be wrong.
#include <fstream>

#include <QtTest>

#include "core/base/scratch_folder.h"
#include "core/engine/model_chat.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/tokenizer/xz.h"

using namespace vitrine;
using namespace vitrine::engine;
namespace fs = std::filesystem;

class TestModelChat : public QObject {
    Q_OBJECT

    static fs::path fixtures() { return VITRINE_FIXTURES; }

    static void write(const fs::path& path, const std::string& text) {
        fs::create_directories(path.parent_path());
        std::ofstream(path) << text;
    }

    /// The sentence with which a conversation is refused, "" if it is written.
    static std::string refusal(const fs::path& folder, const char* conversation) {
        const auto parsed = parse_conversations(conversation, "talk.json");
        if (!parsed) return parsed.error().message;
        const auto chat = read_model_chat(folder.string());
        if (!chat) return chat.error().message;
        const auto written = write_conversation(*chat, parsed->front());
        return written ? "" : written.error().message;
    }

    static std::string written(const fs::path& folder, const char* conversation) {
        const auto chat = read_model_chat(folder.string());
        const auto parsed = parse_conversations(conversation, "talk.json");
        if (!chat || !parsed) return "?";
        const auto text = write_conversation(*chat, parsed->front());
        return text ? text->text : text.error().message;
    }

private slots:
    void ids_are_those_of_transformers() {
        const auto scratch = ScratchFolder::make();
        const Json golden = *parse_json(read_xz(fixtures() / "chat" / "chat_ids.json.xz"), "chat_ids");
        write(scratch->path() / "tokenizer.json",
              read_xz(fixtures() / "tokenizer" / "qwen3.tokenizer.json.xz"));
        write(scratch->path() / "tokenizer_config.json",
              dump_json({{"chat_template", golden["template"]}, {"eos_token", "<|im_end|>"}}));
        const auto tokenizer = tokenizer::Tokenizer::load(scratch->path());
        QVERIFY2(tokenizer, tokenizer ? "" : tokenizer.error().message.c_str());
        const auto chat = read_model_chat(scratch->path().string());
        QVERIFY2(chat, chat ? "" : chat.error().message.c_str());
        QCOMPARE(golden["rows"].size(), std::size_t{50});
        for (const Json& row : golden["rows"]) {
            const auto conversations = parse_conversations(dump_json(row["conversation"]), "row");
            QVERIFY2(conversations, conversations ? "" : conversations.error().message.c_str());
            const auto text = write_conversation(*chat, conversations->front());
            QVERIFY2(text, text ? "" : text.error().message.c_str());
            std::vector<std::int32_t> ids;
            const auto tokens = tokenizer->encode(text->text, tokenizer::Specials::none);
            QVERIFY(tokens.has_value());
            for (const auto& token : *tokens)
                ids.push_back(token.id);
            QCOMPARE(ids, row["ids"].get<std::vector<std::int32_t>>());
            QVERIFY(!text->roles.empty());
            QCOMPARE(text->roles.back().end, text->text.size());
        }
    }

    void templates_are_found_where_they_lie() {
        const auto scratch = ScratchFolder::make();
        const fs::path& folder = scratch->path();
        const char* talk = "[{\"role\":\"user\",\"content\":\"x\"}]";
        QCOMPARE(refusal(folder, talk),
                 folder.string() + " has no chat template; write the prompt out as a text.");
        write(folder / "special_tokens_map.json", "{\"bos_token\":\"<map>\",\"eos_token\":\"</s>\"}");
        write(folder / "tokenizer_config.json",
              "{\"bos_token\":{\"content\":\"<s>\"},\"add_bos_token\":true,\"pad_token\":null,\"chat_"
              "template\":"
              "\"{{bos_token}}{{eos_token}}{{pad_token}}{{messages[0].content}}\"}");
        QCOMPARE(written(folder, talk), std::string("<s></s>x"));
        write(folder / "tokenizer_config.json",
              "{\"chat_template\":[{\"name\":\"default\",\"template\":\"plain\"},"
              "{\"name\":\"tool_use\",\"template\":\"tools\"},{\"name\":\"rag\",\"template\":\"found\"}]}");
        QCOMPARE(written(folder, talk), std::string("plain"));
        QCOMPARE(written(folder, "{\"messages\":[{\"role\":\"user\"}],\"tools\":[]}"), std::string("tools"));
        QCOMPARE(written(folder, "{\"messages\":[{\"role\":\"user\"}],\"chat_template\":\"rag\"}"),
                 std::string("found"));
        QCOMPARE(refusal(folder, "{\"messages\":[{\"role\":\"user\"}],\"chat_template\":\"no\"}"),
                 folder.string() + " has no chat template \"no\"; it has default, tool_use, rag.");
        write(folder / "chat_template.jinja", "file {{ messages[0].role }}");
        write(folder / "additional_chat_templates" / "rag.jinja", "rag file");
        QCOMPARE(written(folder, talk), std::string("file user"));
        QCOMPARE(written(folder, "{\"messages\":[{\"role\":\"user\"}],\"chat_template\":\"rag\"}"),
                 std::string("rag file"));
    }

    void the_answer_is_asked_for_unless_it_is_there() {
        const auto scratch = ScratchFolder::make();
        write(scratch->path() / "chat_template.jinja",
              "{% for m in messages %}[{{ m.role }}]{% endfor %}{% if add_generation_prompt %}>{% endif %}");
        QCOMPARE(written(scratch->path(), "[{\"role\":\"user\"}]"), std::string("[user]>"));
        QCOMPARE(written(scratch->path(), "[{\"role\":\"user\"},{\"role\":\"assistant\"}]"),
                 std::string("[user][assistant]"));
        QCOMPARE(
            written(scratch->path(), "{\"messages\":[{\"role\":\"user\"}],\"add_generation_prompt\":false}"),
            std::string("[user]"));
    }

    void what_is_wrong_is_one_sentence() {
        const auto scratch = ScratchFolder::make();
        const fs::path& folder = scratch->path();
        write(folder / "chat_template.jinja",
              "{% if messages[0].role == 'robot' %}{{ raise_exception('no robots') }}{% endif %}");
        QCOMPARE(refusal(folder, "[{\"role\":\"user\"}"),
                 std::string("talk.json is not valid JSON: line 1, byte 17."));
        QCOMPARE(refusal(folder, "[{\"content\":\"x\"}]"),
                 std::string("talk.json: message 1 has no \"role\" such as \"user\"."));
        QCOMPARE(refusal(folder, "[{\"role\":\"user\"},{\"role\":3}]"),
                 std::string("talk.json: message 2 has no \"role\" such as \"user\"."));
        QCOMPARE(refusal(folder, "[]"),
                 std::string("talk.json: a conversation must be a list of at least one message."));
        QCOMPARE(
            refusal(folder, "{\"prompt\":\"x\"}"),
            std::string("talk.json: a conversation must be a list of {\"role\", \"content\"}, or an object "
                        "with such \"messages\"."));
        QVERIFY(refusal(folder, "[{\"role\":\"robot\"}]").find("no robots") != std::string::npos);
        QVERIFY(refusal(folder, std::string(5000, '[').c_str()).find("nested deeper") != std::string::npos);
        QCOMPARE(refusal(folder / "nowhere", "[{\"role\":\"user\"}]"),
                 "There is no file or folder " + (folder / "nowhere").string() + ".");
        write(folder / "chat_template.jinja", "\n{% if %}");
        QVERIFY(refusal(folder, "[{\"role\":\"user\"}]").find("line 2") != std::string::npos);
        fs::remove(folder / "chat_template.jinja");
        write(folder / "tokenizer_config.json", "{\"chat_template\":[{\"name\":1}]}");
        QVERIFY(refusal(folder, "[{\"role\":\"user\"}]").find("must be a text or a list") !=
                std::string::npos);
    }

    void conversations_come_in_several_forms() {
        const auto scratch = ScratchFolder::make();
        QCOMPARE((*read_conversations("Hello there"))[0].messages.dump(),
                 std::string("[{\"role\":\"user\",\"content\":\"Hello there\"}]"));
        QCOMPARE(read_conversations(" [{\"role\":\"user\"}]")->size(), std::size_t{1});
        QCOMPARE(read_conversations("[[{\"role\":\"user\"}],[{\"role\":\"user\"}]]")->size(), std::size_t{2});
        write(scratch->path() / "talks.jsonl",
              "[{\"role\":\"user\"}]\n\n{\"messages\":[{\"role\":\"user\"}]}\n");
        QCOMPARE(read_conversations((scratch->path() / "talks.jsonl").string())->size(), std::size_t{2});
        write(scratch->path() / "talks.jsonl", "[{\"role\":\"user\"}]\n{\"messages\":[\n");
        const auto broken = read_conversations((scratch->path() / "talks.jsonl").string());
        QVERIFY(!broken &&
                broken.error().message.find("talks.jsonl, line 2 is not valid JSON") != std::string::npos);
        QVERIFY(read_conversations("nowhere.json").error().code == Code::not_found);
        QVERIFY(read_conversations("a\xFF").error().code == Code::malformed);
    }
};

QTEST_GUILESS_MAIN(TestModelChat)
#include "test_model_chat.moc"
