// Stores as their programs write them, whole and broken, made here.
#include <fstream>
#include <optional>
#include <vector>

#include <QtTest>

#include <unistd.h>

#include "core/base/scratch_folder.h"
#include "core/catalogue/catalogue.h"
#include "core/catalogue/checkpoints.h"
#include "tests/formats/gguf_bytes.h"

using namespace vitrine;
using namespace vitrine::catalogue;
namespace fs = std::filesystem;

class TestCatalogue : public QObject {
    Q_OBJECT

    std::optional<ScratchFolder> scratch_;
    Places places_;

    static void write(const fs::path& path, const std::string& text) {
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
    }

    static fs::path model() { return fs::path(VITRINE_FIXTURES) / "models" / "gpt2-random"; }

    static std::string gguf() {
        test::GgufBytes file;
        file.values = 1;
        file.metadata = test::gguf_value("general.architecture", 8, test::gguf_text("llama"));
        file.tensors = 1;
        file.infos = test::gguf_tensor("a", {32}, 0, 0);
        file.data = std::string(128, '\0');
        return file.bytes();
    }

    /// A snapshot whose files are links into blobs, as the hub's cache has them.
    void add_snapshot(const std::string& repository, const std::string& revision) const {
        const fs::path root = places_.hugging_face / repository;
        fs::create_directories(root / "blobs");
        fs::create_directories(root / "snapshots" / revision);
        for (const char* name : {"config.json", "model.safetensors"}) {
            fs::copy_file(model() / name, root / "blobs" / name, fs::copy_options::skip_existing);
            fs::create_symlink(fs::path("../../blobs") / name, root / "snapshots" / revision / name);
        }
    }

    Entry entry(const std::string& name) const {
        for (const Entry& entry : list(places_).models)
            if (entry.name == name) return entry;
        return {};
    }

    std::string names() const {
        std::string all;
        for (const Entry& entry : list(places_).models)
            all += entry.name + " ";
        return all;
    }

    static std::string digest(char letter) { return std::string(64, letter); }

    void add_manifest(const std::string& name, const std::string& hash, std::size_t size) const {
        write(
            places_.ollama / "manifests" / name,
            R"({"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:00","size":1},)"
            R"({"mediaType":"application/vnd.ollama.image.model","digest":"sha256:)" +
                hash + R"(","size":)" + std::to_string(size) + "}]}");
    }

private slots:
    void a_training_is_a_folder_of_steps() {
        for (const auto& [name, step] : {std::pair{"step-00020", 20},
                                         {"step1000", 1000},
                                         {"step0", 0},
                                         {"checkpoint-500", 500},
                                         {"global_step_7", 7},
                                         {"iter3", 3}})
            QVERIFY2(step_of(name) == step, name);
        for (const char* name : {"step", "step-", "step--5", "step-5x", "mystep-5", "stepped", "5", "",
                                 "step-99999999999999999999"})
            QVERIFY2(!step_of(name), name);
        auto made = ScratchFolder::make();
        QVERIFY(made);
        const fs::path folder = made->path() / "training";
        for (const char* name : {"step-100", "step-20", "step9", "step-0020"})
            write(folder / name / "config.json", "{}");
        write(folder / "step-7" / "notes.txt", "no model");
        write(folder / "final" / "config.json", "{}");
        std::string found;
        for (const Checkpoint& point : checkpoints_in(folder))
            found += point.name + " ";
        QCOMPARE(found, std::string("step9 step-0020 step-100 ")); // of two of one step the first by name
        // From the folder itself, however it is written, and from one of them.
        for (const fs::path& path :
             {folder, folder / "", folder / ".", folder / "step9", folder / "step9" / ""})
            QCOMPARE(checkpoints_of(path).size(), std::size_t{3});
        QVERIFY(checkpoints_of(folder / "final").empty());
        QVERIFY(checkpoints_of(folder / "nowhere").empty());
    }

    void init() {
        scratch_.emplace(*ScratchFolder::make());
        places_ = {scratch_->path() / "hub",
                   scratch_->path() / "ollama",
                   {scratch_->path() / "studio", scratch_->path() / "old-studio"}};
    }

    void no_store_is_no_problem() {
        const Listing listing = list(places_);
        QVERIFY(listing.models.empty() && listing.stores.empty());
        QVERIFY(find(places_, "org/name").error().code == Code::not_found);
    }

    void a_cache_of_the_hub() {
        add_snapshot("models--org--tiny", "1111111111111111111111111111111111111111");
        add_snapshot("models--org--tiny", "2222222222222222222222222222222222222222");
        add_snapshot("models--gpt2", "3333333333333333333333333333333333333333");
        add_snapshot("datasets--org--text", "4444444444444444444444444444444444444444");
        write(places_.hugging_face / "models--org--tiny" / "refs" / "main",
              "2222222222222222222222222222222222222222\n");
        QCOMPARE(names(), std::string("gpt2 org/tiny@111111111111 org/tiny "));
        const Entry tiny = entry("org/tiny");
        QCOMPARE(tiny.store, std::string("Hugging Face"));
        QCOMPARE(tiny.family, std::string("gpt2"));
        QCOMPARE(tiny.format, std::string("safetensors"));
        QVERIFY(tiny.problem.empty());
        // 413,296 bytes of file less the header.
        QVERIFY(tiny.bytes > 400000 && tiny.bytes < fs::file_size(model() / "model.safetensors"));
        QCOMPARE(static_cast<std::uint64_t>(tiny.parameters) * 4, tiny.bytes);
        const auto snapshots = places_.hugging_face / "models--org--tiny" / "snapshots";
        QCOMPARE(find(places_, "org/tiny")->filename().string(), std::string(40, '2'));
        QCOMPARE(find(places_, "org/tiny@1111111")->filename().string(), std::string(40, '1'));
        QCOMPARE(find(places_, "gpt2")->filename().string(), std::string(40, '3'));
    }

    void several_snapshots_and_no_main_are_not_guessed_between() {
        add_snapshot("models--org--tiny", std::string(40, '1'));
        add_snapshot("models--org--tiny", std::string(40, '2'));
        const auto found = find(places_, "org/tiny");
        QVERIFY(!found);
        QVERIFY(found.error().message.find("org/tiny@111111111111, org/tiny@222222222222") !=
                std::string::npos);
    }

    void broken_repositories_say_why() {
        add_snapshot("models--org--links", std::string(40, '1'));
        fs::remove(places_.hugging_face / "models--org--links" / "blobs" / "model.safetensors");
        write(places_.hugging_face / "models--org--half" / "blobs" / "aa.incomplete", "x");
        write(places_.hugging_face / "models--org--half" / "snapshots" / "1" / "config.json", "{}");
        write(places_.hugging_face / "models--org--empty" / "refs" / "main", "1");
        add_snapshot("models--org--lost", std::string(40, '1'));
        write(places_.hugging_face / "models--org--lost" / "refs" / "main", "../../../etc");
        write(places_.hugging_face / "models--org--lost2" / "refs" / "main", std::string(40, '9'));
        add_snapshot("models--org--lost2", std::string(40, '1'));
        write(places_.hugging_face / "models--org--words" / "snapshots" / "1" / "config.json", "{}");
        write(places_.hugging_face / "models--org--tokens" / "snapshots" / "1" / "tokenizer.json", "{}");
        add_snapshot("models--org--whole", std::string(40, '1'));
        QVERIFY(entry("org/links").problem.find("leads to no file") != std::string::npos);
        QVERIFY(entry("org/half").problem.find("has not finished") != std::string::npos);
        QVERIFY(entry("org/empty").problem.find("no snapshot") != std::string::npos);
        QVERIFY(entry("org/lost").problem.empty()); // its one snapshot, whatever main says
        QVERIFY(entry("org/lost2").problem.find("is not there") != std::string::npos);
        QVERIFY(entry("org/words").problem.find("no weights") != std::string::npos);
        QVERIFY(entry("org/tokens").name.empty()); // no model
        QVERIFY(entry("org/whole").problem.empty());
        QVERIFY(find(places_, "org/links").error().code == Code::io);
    }

    void manifests_lead_to_blobs() {
        const std::string bytes = gguf();
        write(places_.ollama / "blobs" / ("sha256-" + digest('a')), bytes);
        write(places_.ollama / "blobs" / ("sha256:" + digest('b')), bytes); // older versions
        write(places_.ollama / "blobs" / ("sha256-" + digest('c')), bytes.substr(0, 50));
        add_manifest("host.example/library/tiny/latest", digest('a'), bytes.size());
        add_manifest("host.example/library/tiny/1b", digest('b'), bytes.size());
        add_manifest("host.example/someone/mine/latest", digest('a'), bytes.size());
        add_manifest("other.example/org/far/Q4", digest('a'), bytes.size());
        add_manifest("host.example/library/cut/latest", digest('c'), bytes.size());
        add_manifest("host.example/library/gone/latest", digest('d'), bytes.size());
        add_manifest("host.example/library/out/latest", "../../../../etc/passwd", 1);
        write(places_.ollama / "manifests" / "host.example/library/torn/latest", "{\"layers\":[");
        write(places_.ollama / "manifests" / "host.example/library/list/latest", "[3]");
        QCOMPARE(entry("ollama:tiny:latest").family, std::string("llama"));
        QCOMPARE(entry("ollama:tiny:latest").bytes, std::uint64_t{128});
        QCOMPARE(entry("ollama:tiny:latest").parameters, std::int64_t{32});
        QVERIFY(entry("ollama:tiny:1b").problem.empty());
        QCOMPARE(find(places_, "ollama:tiny")->filename().string(), "sha256-" + digest('a'));
        QCOMPARE(find(places_, "ollama:tiny:1b")->filename().string(), "sha256:" + digest('b'));
        QVERIFY(find(places_, "ollama:someone/mine").has_value());
        QVERIFY(find(places_, "ollama:org/far:Q4").has_value());
        QVERIFY(entry("ollama:cut:latest").problem.find("has 50 of") != std::string::npos);
        QVERIFY(entry("ollama:gone:latest").problem.find("is missing") != std::string::npos);
        QVERIFY(entry("ollama:out:latest").problem.find("names no weights") != std::string::npos);
        QVERIFY(entry("ollama:torn:latest").problem.find("is not valid JSON") != std::string::npos);
        QVERIFY(entry("ollama:list:latest").problem.find("names no weights") != std::string::npos);
        QVERIFY(find(places_, "ollama:nothing").error().code == Code::not_found);
    }

    void the_same_name_at_two_hosts_is_told_apart() {
        write(places_.ollama / "blobs" / ("sha256-" + digest('a')), gguf());
        add_manifest("host.example/library/tiny/latest", digest('a'), gguf().size());
        add_manifest("other.example/library/tiny/latest", digest('a'), gguf().size());
        QCOMPARE(names(), std::string("ollama:host.example/library/tiny:latest "
                                      "ollama:other.example/library/tiny:latest "));
    }

    void folders_of_lm_studio() {
        write(places_.lm_studio[0] / "org" / "one" / "one-Q4.gguf", gguf());
        write(places_.lm_studio[0] / "org" / "one" / "mmproj-one.gguf", gguf());
        write(places_.lm_studio[0] / "org" / "two" / "a.gguf", gguf());
        write(places_.lm_studio[0] / "org" / "two" / "b.gguf", "no such file");
        write(places_.lm_studio[1] / "org" / "one" / "one-Q4.gguf", gguf());
        write(places_.lm_studio[1] / "org" / "three" / "x-00001-of-00002.gguf", gguf());
        write(places_.lm_studio[1] / "org" / "three" / "x-00002-of-00002.gguf", gguf());
        add_snapshot("models--org--two", std::string(40, '1'));
        add_snapshot("models--org--one", std::string(40, '1'));
        QCOMPARE(names(), std::string("org/one org/two lmstudio:org/one org/two/a.gguf org/two/b.gguf "
                                      "org/three "));
        QVERIFY(find(places_, "lmstudio:org/one")->extension() == ".gguf");
        QVERIFY(find(places_, "lmstudio:org/three")->extension() == ".gguf");
        QVERIFY(!entry("org/two/b.gguf").problem.empty());
    }

    void what_cannot_be_read_is_told() {
        if (geteuid() == 0) { // root reads everything
            write(places_.hugging_face, "a file");
        } else {
            fs::create_directories(places_.hugging_face);
            fs::permissions(places_.hugging_face, fs::perms::none);
        }
        add_manifest("host.example/library/gone/latest", digest('d'), 1);
        const Listing listing = list(places_);
        if (geteuid() != 0) fs::permissions(places_.hugging_face, fs::perms::owner_all);
        QCOMPARE(listing.stores.size(), std::size_t{2});
        QVERIFY(listing.stores[0].problem.find("cannot be read") != std::string::npos);
        QCOMPARE(listing.models.size(), std::size_t{1});
    }

    void places_come_from_the_environment() {
        const auto with = [](std::initializer_list<std::pair<const char*, const char*>> set) {
            for (const char* name : {"HF_HUB_CACHE", "HF_HOME", "OLLAMA_MODELS", "XDG_CACHE_HOME"})
                unsetenv(name);
            setenv("HOME", "/h", 1);
            for (const auto& [name, value] : set)
                setenv(name, value, 1);
            return places();
        };
        QCOMPARE(with({}).hugging_face, fs::path("/h/.cache/huggingface/hub"));
        QCOMPARE(with({}).ollama, fs::path("/h/.ollama/models"));
        QCOMPARE(with({{"XDG_CACHE_HOME", "/c"}}).hugging_face, fs::path("/c/huggingface/hub"));
        QCOMPARE(with({{"HF_HOME", "/f"}}).hugging_face, fs::path("/f/hub"));
        QCOMPARE(with({{"HF_HOME", "/f"}, {"HF_HUB_CACHE", "/u"}}).hugging_face, fs::path("/u"));
        QCOMPARE(with({{"OLLAMA_MODELS", "/o"}}).ollama, fs::path("/o"));
        QCOMPARE(with({}).lm_studio[1], fs::path("/h/.cache/lm-studio/models"));
    }

    void names_are_told_from_paths() {
        QVERIFY(is_store_name("org/name") && is_store_name("ollama:x") && is_store_name("lmstudio:a/b"));
        QVERIFY(!is_store_name("/a/b") && !is_store_name("./a") && !is_store_name("../a/b") &&
                !is_store_name("folder") && !is_store_name("folder/") && !is_store_name("~/x"));
    }
};

QTEST_GUILESS_MAIN(TestCatalogue)
#include "test_catalogue.moc"
