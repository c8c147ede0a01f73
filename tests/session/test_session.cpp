// The journal: what is recorded comes back, and what cannot be opened is refused with a sentence.
#include <fstream>

#include <QtTest>

#include <SQLiteCpp/Database.h>

#include "core/base/hash.h"
#include "core/store/activation_reader.h"
#include "tests/session/session_test_tools.h"

using namespace vitrine;
using namespace vitrine::session;
namespace fs = std::filesystem;

namespace {

std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

bool says(const Error& error, const std::string& part) {
    return error.message.find(part) != std::string::npos;
}

} // namespace

class TestSession : public QObject {
    Q_OBJECT
    QTemporaryDir dir_;
    fs::path at(const std::string& name) const { return fs::path(dir_.path().toStdString()) / name; }

private slots:
    void a_step_comes_back() {
        std::int64_t seq = 0;
        NewStep step = a_run();
        {
            auto session = Session::create(at("back.vitrine"));
            QVERIFY(session);
            QCOMPARE(*record(*session, a_run()), std::int64_t{1});
            step.inputs = {{"clean", 1, "/row0/hook_embed", "", ""},
                           {"dictionary", std::nullopt, "", "sae/layer3", "123"}};
            seq = *record(*session, step);
        }
        const auto session = Session::open(at("back.vitrine/"), Mode::read_only);
        QVERIFY(session);
        const auto detail = session->step(seq);
        QVERIFY(detail);
        QCOMPARE(detail->step.seq, std::int64_t{2});
        QCOMPARE(detail->step.kind, std::string("run"));
        QCOMPARE(detail->step.spec, std::string(R"({"capture":["*hook_pattern"],"prompt":"The ship"})"));
        QCOMPARE(detail->step.spec_hash, sha256(detail->step.spec));
        QCOMPARE(detail->step.status, StepStatus::done);
        QCOMPARE(detail->step.ms, std::optional<double>(12.5));
        QVERIFY(QRegularExpression("^20\\d\\d-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$")
                    .match(QString::fromStdString(detail->step.started))
                    .hasMatch());
        QCOMPARE(detail->step.device.name, std::string("cpu"));
        QCOMPARE(detail->step.device.detail, std::string("eigen, 2 threads"));
        QCOMPARE(detail->step.precision, std::string("exact"));
        QCOMPARE(detail->step.app_version, std::string("0.1.0"));
        QCOMPARE(detail->step.model->weights_hash, std::string("abc"));
        QCOMPARE(detail->step.model->config, std::string(R"({"layers":8})"));
        QCOMPARE(detail->inputs.size(), std::size_t{2});
        QCOMPARE(detail->inputs[0].step, std::optional<std::int64_t>(1));
        QCOMPARE(detail->inputs[1].path, std::string("sae/layer3"));
        QVERIFY(!detail->inputs[1].step);
        QCOMPARE(detail->artifacts.size(), std::size_t{2});
        QCOMPARE(detail->artifacts[1].file, std::string("activations/step-000002.h5"));
        QCOMPARE(detail->artifacts[1].dataset, std::string("/row1/hook_embed"));
        QCOMPARE(detail->artifacts[1].shape, (Shape{100, 100}));
        const auto reader = store::ActivationReader::open(session->folder() / detail->artifacts[1].file);
        QCOMPARE(reader->read("/row1/hook_embed")->data[77], 2.0F);
        QVERIFY(session->damaged()->empty());
        QCOMPARE(session->steps()->size(), std::size_t{2});
        QCOMPARE(session->step(3).error().code, Code::not_found);
    }

    void the_hash_of_a_spec_does_not_depend_on_the_order_of_its_keys() {
        auto session = Session::create(at("hash.vitrine"));
        NewStep turned = a_run();
        turned.spec = Json{{"capture", {"*hook_pattern"}}, {"prompt", "The ship"}};
        QVERIFY(session->begin_step(a_run()));
        QVERIFY(session->begin_step(turned));
        QVERIFY(session->begin_step(a_run("The shop")));
        const auto steps = session->steps();
        QCOMPARE((*steps)[0].spec_hash, (*steps)[1].spec_hash);
        QVERIFY((*steps)[0].spec_hash != (*steps)[2].spec_hash);
    }

    void models_and_devices_are_kept_once() {
        auto session = Session::create(at("once.vitrine"));
        for (int i = 0; i < 3; ++i)
            QVERIFY(record(*session, a_run()));
        NewStep other = a_run();
        other.device.detail = "eigen, 4 threads";
        other.model.reset();
        QVERIFY(record(*session, other));
        SQLite::Database journal((at("once.vitrine") / "session.sqlite").string());
        QCOMPARE(journal.execAndGet("SELECT count(*) FROM device").getInt(), 2);
        QCOMPARE(journal.execAndGet("SELECT count(*) FROM model").getInt(), 1);
        QVERIFY(!session->steps()->back().model);
    }

    void a_step_ends_once() {
        auto session = Session::create(at("ends.vitrine"));
        const auto failed = session->begin_step(a_run());
        QVERIFY(capture(*session, *failed, 1));
        QCOMPARE(session->steps()->front().status, StepStatus::running);
        QVERIFY(!session->steps()->front().ms);
        QVERIFY(session->fail_step(*failed, {Code::out_of_memory, "No memory."}, 3));
        QCOMPARE(session->steps()->front().status, StepStatus::failed);
        QCOMPARE(session->steps()->front().error_code, std::string("out-of-memory"));
        QCOMPARE(session->steps()->front().error, std::string("No memory."));
        QVERIFY(!session->finish_step(*failed, 1, {}));
        QVERIFY(!session->cancel_step(*failed, 1));

        const auto cancelled = session->begin_step(a_run());
        QVERIFY(capture(*session, *cancelled, 1));
        QVERIFY(session->cancel_step(*cancelled, 1));
        QCOMPARE(session->steps()->back().status, StepStatus::cancelled);
        QCOMPARE(files_in(at("ends.vitrine/activations")), 0); // no captures of what did not finish
    }

    void a_file_from_elsewhere_is_no_artifact() {
        auto session = Session::create(at("inside.vitrine"));
        const auto seq = session->begin_step(a_run());
        Artifact foreign;
        foreign.file = at("other.h5").string();
        QVERIFY(!session->finish_step(*seq, 1, {foreign}));
        QCOMPARE(session->steps()->front().status, StepStatus::running); // nothing of it was kept
    }

    void windows_find_their_state_again() {
        {
            auto session = Session::create(at("view.vitrine"));
            QVERIFY(!*session->view_state("window"));
            QVERIFY(session->set_view_state("window", Json{{"page", "attention"}}));
            QVERIFY(session->set_view_state("window", Json{{"page", "lens"}, {"prompt", "Grüße"}}));
            for (int i = 0; i < 5; ++i)
                QVERIFY(session->add_selection(Json{{"layer", i}}));
        }
        const auto session = Session::open(at("view.vitrine"), Mode::read_write);
        QCOMPARE((**session->view_state("window")).at("prompt").get<std::string>(), std::string("Grüße"));
        QCOMPARE(*session->selections(2), (std::vector<Json>{Json{{"layer", 3}}, Json{{"layer", 4}}}));
    }

    void one_writer_and_any_number_of_readers() {
        auto writer = Session::create(at("two.vitrine"));
        const auto second = Session::open(at("two.vitrine"), Mode::read_write);
        QCOMPARE(second.error().code, Code::session);
        QVERIFY(says(second.error(), "process " + std::to_string(::getpid())));
        QVERIFY(!Session::open_or_create(at("two.vitrine")));

        auto reader = Session::open(at("two.vitrine"), Mode::read_only);
        QVERIFY(reader);
        const auto seq = writer->begin_step(a_run());
        QCOMPARE(reader->steps()->front().status, StepStatus::running); // not interrupted: the writer lives
        QVERIFY(Session::open(at("two.vitrine"), Mode::read_only));
        QCOMPARE(writer->steps()->front().status, StepStatus::running);
        QVERIFY(writer->finish_step(*seq, 1, *capture(*writer, *seq, 1)));
        QCOMPARE(reader->step(*seq)->artifacts.size(), std::size_t{2});
        QCOMPARE(reader->begin_step(a_run()).error().code, Code::session);
        QCOMPARE(reader->finish_step(*seq, 1, {}).error().code, Code::session);
        QCOMPARE(reader->set_view_state("a", 1).error().code, Code::session);
    }

    void a_session_of_a_newer_version_is_left_alone() {
        const fs::path journal = at("newer.vitrine") / "session.sqlite";
        { QVERIFY(Session::create(at("newer.vitrine"))); }
        SQLite::Database(journal.string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
        const std::string before = bytes_of(journal);
        for (const Mode mode : {Mode::read_write, Mode::read_only}) {
            const auto session = Session::open(at("newer.vitrine"), mode);
            QCOMPARE(session.error().code, Code::session);
            QVERIFY(says(session.error(), "format 99"));
            QVERIFY(says(session.error(), "knows up to 1"));
        }
        QCOMPARE(bytes_of(journal), before);
    }

    void what_is_no_session_is_refused() {
        for (const Mode mode : {Mode::read_write, Mode::read_only}) {
            QCOMPARE(Session::open(at("none.vitrine"), mode).error().code, Code::not_found);
            fs::create_directory(at("empty"));
            QCOMPARE(Session::open(at("empty"), mode).error().code, Code::malformed);

            fs::create_directory(at("text"));
            std::ofstream(at("text") / "session.sqlite") << std::string(5000, 'x');
            QCOMPARE(Session::open(at("text"), mode).error().code, Code::malformed);

            fs::create_directory(at("foreign"));
            SQLite::Database((at("foreign") / "session.sqlite").string(),
                             SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE)
                .exec("CREATE TABLE IF NOT EXISTS song (name TEXT)");
            QCOMPARE(Session::open(at("foreign"), mode).error().code, Code::malformed);
        }
        { QVERIFY(Session::create(at("cut.vitrine"))); }
        fs::resize_file(at("cut.vitrine") / "session.sqlite", 5000);
        QCOMPARE(Session::open(at("cut.vitrine"), Mode::read_write).error().code, Code::malformed);
    }

    void a_session_is_made_where_nothing_is() {
        fs::create_directory(at("bare"));
        QVERIFY(Session::create(at("bare/"))); // an empty folder will do
        QCOMPARE(Session::create(at("bare")).error().code, Code::session);
        QCOMPARE(Session::create(at("no/such/place.vitrine")).error().code, Code::not_found);
        std::ofstream(at("file")) << "x";
        QVERIFY(!Session::create(at("file")));
        QVERIFY(!Session::create(at("file/a.vitrine")));
        QVERIFY(Session::open_or_create(at("either.vitrine")));
        QVERIFY(Session::open_or_create(at("either.vitrine")));
        for (const auto& entry : fs::directory_iterator(at("")))
            QVERIFY(entry.path().extension() != ".tmp");
    }

    void damage_is_found() {
        auto session = Session::create(at("damage.vitrine"));
        for (int i = 0; i < 3; ++i)
            QVERIFY(record(*session, a_run()));
        fs::remove(session->activation_file(1));
        fs::resize_file(session->activation_file(2), 1000);
        const auto damaged = session->damaged();
        QCOMPARE(damaged->size(), std::size_t{4});
        QCOMPARE((*damaged)[0].file, std::string("activations/step-000001.h5"));
        QCOMPARE((*damaged)[3].dataset, std::string("/row1/hook_embed"));
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "test_session.moc"
