// Programs that are killed, disks that are full, folders that cannot be written.
#include <array>
#include <csignal>
#include <cstdint>
#include <random>
#include <set>
#include <thread>

#include <sys/resource.h>

#include <QtTest>

#include "core/store/activation_reader.h"
#include "tests/session/session_test_tools.h"

using namespace vitrine;
using namespace vitrine::session;
namespace fs = std::filesystem;

namespace {

/// Records steps for ever and says through `pipe` which ones are done.
int record_for_ever(const fs::path& folder, int pipe) {
    auto session = Session::open(folder, Mode::read_write);
    if (!session) return 1;
    while (true) {
        const auto seq = record(*session, a_run());
        if (!seq || ::write(pipe, &*seq, sizeof *seq) != sizeof *seq) return 2;
        if (!session->set_view_state("window", Json{{"run", *seq}})) return 3;
    }
}

/// From now on no file of this process can grow beyond `bytes`, as on a full disk.
void limit_files(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
}

/// Root may write anywhere: a child gives that up.
void become_nobody() {
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(100);
}

void make_read_only(const fs::path& folder) {
    const auto read = fs::perms::owner_read | fs::perms::group_read | fs::perms::others_read;
    const auto enter = fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        fs::permissions(entry.path(), entry.is_directory() ? read | enter : read);
    fs::permissions(folder, read | enter);
}

} // namespace

class TestCrash : public QObject {
    Q_OBJECT
    QTemporaryDir dir_;
    fs::path at(const std::string& name) const { return fs::path(dir_.path().toStdString()) / name; }

    /// After a kill: what was reported done is done and whole, nothing else lies about.
    void check_after_kill(const fs::path& folder, const std::set<std::int64_t>& reported) {
        auto session = Session::open(folder, Mode::read_write);
        QVERIFY2(session, session ? "" : session.error().message.c_str());
        QVERIFY(session->interrupted().size() <= 1);
        QVERIFY(session->damaged()->empty());
        std::size_t done = 0;
        const auto steps = session->steps();
        for (const Step& step : *steps) {
            QVERIFY(step.status == StepStatus::done || step.status == StepStatus::interrupted);
            if (step.status == StepStatus::interrupted) {
                QVERIFY(!reported.contains(step.seq));
                QVERIFY(!fs::exists(session->activation_file(step.seq)));
                continue;
            }
            ++done;
            QCOMPARE(session->step(step.seq)->artifacts.size(), std::size_t{2});
            const auto reader = store::ActivationReader::open(session->activation_file(step.seq));
            QVERIFY(reader);
            QCOMPARE(reader->read("/row1/hook_embed")->data.back(), static_cast<float>(step.seq));
        }
        QVERIFY(done >= reported.size());
        QVERIFY(done <= reported.size() + 30); // at most one a kill was not reported in time
        QCOMPARE(files_in(folder / "activations"), static_cast<int>(done));
    }

private slots:
    void initTestCase() {
        fs::permissions(dir_.path().toStdString(), fs::perms(0755)); // for the child that is nobody
    }

    void a_killed_program_loses_its_running_step_only() {
        const fs::path folder = at("killed.vitrine");
        { QVERIFY(Session::create(folder)); }
        std::mt19937 random(7);
        std::set<std::int64_t> reported;
        for (int kill = 0; kill < 30; ++kill) {
            std::array<int, 2> pipe{};
            QCOMPARE(::pipe(pipe.data()), 0);
            const pid_t child = in_child([&] { return record_for_ever(folder, pipe[1]); });
            ::close(pipe[1]);
            const auto read_one = [&] {
                std::int64_t seq = 0;
                if (::read(pipe[0], &seq, sizeof seq) != sizeof seq) return false;
                reported.insert(seq);
                return true;
            };
            for (unsigned wanted = random() % 4; wanted > 0; --wanted)
                QVERIFY(read_one());
            std::this_thread::sleep_for(std::chrono::microseconds(random() % 20000));
            ::kill(child, SIGKILL);
            QCOMPARE(exit_code(child), 128 + SIGKILL);
            while (read_one()) {
            }
            ::close(pipe[0]);
            check_after_kill(folder, reported);
            if (QTest::currentTestFailed()) return;
        }
        QVERIFY(reported.size() > 20);
    }

    void a_dead_program_leaves_interrupted_steps() {
        const fs::path folder = at("dead.vitrine");
        { QVERIFY(Session::create(folder)); }
        const int code = exit_code(in_child([&] {
            auto session = Session::open(folder, Mode::read_write);
            const auto published = session->begin_step(a_run("published, not committed"));
            if (!capture(*session, *published, 1)) return 1;
            const auto half = session->begin_step(a_run("half-written"));
            auto writer = store::ActivationWriter::create(session->activation_file(*half), {});
            if (!writer->add_tokens(0, {}) || files_in(folder / "activations") != 2) return 2;
            ::kill(::getpid(), SIGKILL);
            return 3;
        }));
        QCOMPARE(code, 128 + SIGKILL);
        { // a reader judges nobody
            const auto reader = Session::open(folder, Mode::read_only);
            QCOMPARE(reader->steps()->front().status, StepStatus::running);
        }
        const auto session = Session::open(folder, Mode::read_write);
        QCOMPARE(session->interrupted(), (std::vector<std::int64_t>{1, 2}));
        const auto steps = session->steps();
        for (const Step& step : *steps) {
            QCOMPARE(step.status, StepStatus::interrupted);
            QCOMPARE(step.error_code, std::string("session"));
        }
        QCOMPARE(files_in(folder / "activations"), 0);
    }

    void a_full_disk_fails_the_step() {
        const fs::path folder = at("full.vitrine");
        { QVERIFY(Session::create(folder)); }
        const int code = exit_code(in_child([&] {
            auto session = Session::open(folder, Mode::read_write);
            if (!record(*session, a_run("fits"))) return 1;
            limit_files(2'000'000);
            const auto refused = record(*session, a_run("does not fit"), 100); // 4 MB
            if (refused || refused.error().code != Code::io) return 2;
            return record(*session, a_run("fits again")) ? 0 : 3;
        }));
        QCOMPARE(code, 0);
        const auto session = Session::open(folder, Mode::read_write);
        const auto steps = session->steps();
        QCOMPARE(steps->size(), std::size_t{3});
        QCOMPARE((*steps)[0].status, StepStatus::done);
        QCOMPARE((*steps)[1].status, StepStatus::failed);
        QCOMPARE((*steps)[1].error_code, std::string("io"));
        QCOMPARE((*steps)[2].status, StepStatus::done);
        QVERIFY(session->damaged()->empty());
        QCOMPARE(files_in(folder / "activations"), 2);
    }

    void a_disk_without_room_for_a_row_refuses_the_step() {
        const fs::path folder = at("row.vitrine");
        { QVERIFY(Session::create(folder)); }
        const int code = exit_code(in_child([&] {
            auto session = Session::open(folder, Mode::read_write);
            limit_files(0);
            const auto step = session->begin_step(a_run());
            return !step && step.error().code == Code::io ? 0 : 1;
        }));
        QCOMPARE(code, 0);
        QVERIFY(Session::open(folder, Mode::read_write)->steps()->empty());
    }

    void a_full_disk_leaves_no_half_session() {
        fs::create_directory(at("place"));
        for (const rlim_t bytes : {0, 4096, 20000}) {
            const int code = exit_code(in_child([&] {
                limit_files(bytes);
                const auto session = Session::create(at("place/new.vitrine"));
                return !session && session.error().code == Code::io ? 0 : 1;
            }));
            QCOMPARE(code, 0);
            QVERIFY(fs::is_empty(at("place")));
        }
    }

    void a_read_only_folder_opens_to_read() {
        const fs::path folder = at("ro.vitrine");
        {
            auto session = Session::create(folder);
            QVERIFY(record(*session, a_run()));
        }
        make_read_only(folder);
        const int code = exit_code(in_child([&] {
            become_nobody();
            const auto written = Session::open(folder, Mode::read_write);
            if (written || written.error().code != Code::session) return 1;
            const auto read = Session::open(folder, Mode::read_only);
            if (!read) return 2;
            if (read->steps()->size() != 1 || !read->damaged()->empty()) return 3;
            return Session::create(folder / "inner.vitrine") ? 4 : 0;
        }));
        QCOMPARE(code, 0);
    }

    void the_log_of_a_killed_program_is_read_in_a_read_only_folder() {
        const fs::path folder = at("log.vitrine");
        { QVERIFY(Session::create(folder)); }
        const int killed = exit_code(in_child([&] {
            auto session = Session::open(folder, Mode::read_write);
            if (!record(*session, a_run())) return 1;
            ::kill(::getpid(), SIGKILL);
            return 2;
        }));
        QCOMPARE(killed, 128 + SIGKILL);
        QVERIFY(fs::file_size(folder / "session.sqlite-wal") > 0);
        fs::remove(folder / "session.sqlite-shm"); // as in a copy on another disk
        make_read_only(folder);
        const int code = exit_code(in_child([&] {
            become_nobody();
            const auto read = Session::open(folder, Mode::read_only);
            if (!read) return 2;
            return read->steps()->size() == 1 && read->damaged()->empty() ? 0 : 3;
        }));
        QCOMPARE(code, 0);
    }
};

QTEST_GUILESS_MAIN(TestCrash)
#include "test_crash.moc"
