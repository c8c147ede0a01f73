// The device thread: order, replacement by tag, cancel, delivery.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <QtTest>

#include "core/engine/workbench.h"

using namespace vitrine;
using engine::Engine;
using engine::Workbench;

namespace {

/// Closures are kept until the test runs them, as an event loop does.
struct Inbox {
    std::mutex mutex;
    std::vector<std::function<void()>> closures;

    void put(std::function<void()> closure) {
        const std::lock_guard lock(mutex);
        closures.push_back(std::move(closure));
    }
    void run() {
        std::vector<std::function<void()>> taken;
        {
            const std::lock_guard lock(mutex);
            taken.swap(closures);
        }
        for (auto& closure : taken)
            closure();
    }
};

/// Holds the device thread until it is opened.
struct Gate {
    std::mutex mutex;
    std::condition_variable opened;
    bool open = false;
    std::atomic<bool> entered = false;

    void wait() {
        std::unique_lock lock(mutex);
        entered = true;
        opened.wait(lock, [this] { return open; });
    }
    void release() {
        {
            const std::lock_guard lock(mutex);
            open = true;
        }
        opened.notify_all();
    }
};

} // namespace

class TestWorkbench : public QObject {
    Q_OBJECT
private slots:
    void a_newer_job_replaces_an_older_one_with_its_tag() {
        Inbox inbox;
        Gate gate;
        std::vector<int> delivered;
        std::vector<int> worked;
        {
            Workbench bench([&](std::function<void()> closure) { inbox.put(std::move(closure)); });
            bench.post("", "gate", [&](Engine&, const CancelToken&, const Progress&) {
                gate.wait();
                return std::function<void()>();
            });
            for (int i = 0; i < 5; ++i)
                bench.post("typing", "run", [&, i](Engine&, const CancelToken&, const Progress&) {
                    worked.push_back(i);
                    return std::function<void()>([&, i] { delivered.push_back(i); });
                });
            bench.post("other", "run", [&](Engine&, const CancelToken&, const Progress&) {
                return std::function<void()>([&] { delivered.push_back(100); });
            });
            QCOMPARE(bench.jobs().size(), std::size_t{3});
            gate.release();
            QTRY_VERIFY(bench.jobs().empty());
        }
        inbox.run();
        QCOMPARE(worked, std::vector<int>{4});
        QCOMPARE(delivered, (std::vector<int>{4, 100}));
    }

    void a_running_job_is_told_and_its_result_dropped() {
        Inbox inbox;
        Gate gate;
        bool seen = false;
        bool delivered = false;
        {
            Workbench bench([&](std::function<void()> closure) { inbox.put(std::move(closure)); });
            const auto id =
                bench.post("run", "run", [&](Engine&, const CancelToken& cancel, const Progress&) {
                    gate.wait();
                    seen = cancel.cancelled();
                    return std::function<void()>([&] { delivered = true; });
                });
            QTRY_VERIFY(gate.entered.load());
            bench.cancel(id);
            gate.release();
            QTRY_VERIFY(bench.jobs().empty());
        }
        inbox.run();
        QVERIFY(seen);
        QVERIFY(!delivered);
    }

    void a_result_that_waits_is_dropped_when_its_asker_asks_again() {
        Inbox inbox;
        std::vector<int> delivered;
        Workbench bench([&](std::function<void()> closure) { inbox.put(std::move(closure)); });
        for (int i = 0; i < 2; ++i) {
            bench.post("hover", "run", [&, i](Engine&, const CancelToken&, const Progress&) {
                return std::function<void()>([&, i] { delivered.push_back(i); });
            });
            QTRY_VERIFY(bench.jobs().empty()); // finished, not yet delivered
        }
        inbox.run();
        QCOMPARE(delivered, std::vector<int>{1});
    }

    void background_work_gives_way_and_is_called_again() {
        Inbox inbox;
        std::vector<std::string> order;
        std::atomic<int> attempts = 0;
        std::atomic<bool> finish = false;
        Workbench bench([&](std::function<void()> closure) { inbox.put(std::move(closure)); });
        bench.post(
            "check", "check",
            [&](Engine&, const CancelToken& cancel, const Progress&) {
                ++attempts;
                while (!cancel.cancelled() && !finish)
                    std::this_thread::yield();
                return std::function<void()>([&] { order.emplace_back("check"); });
            },
            engine::Priority::background);
        QTRY_COMPARE(attempts.load(), 1);
        bench.post("typing", "run", [&](Engine&, const CancelToken& cancel, const Progress&) {
            order.emplace_back(cancel.cancelled() ? "stopped" : "ran");
            return std::function<void()>([&] { order.emplace_back("typed"); });
        });
        QTRY_COMPARE(attempts.load(), 2);
        inbox.run(); // what the first attempt returned is not in it
        QCOMPARE(order, (std::vector<std::string>{"ran", "typed"}));
        finish = true;
        QTRY_VERIFY(bench.jobs().empty());
        inbox.run();
        QCOMPARE(order, (std::vector<std::string>{"ran", "typed", "check"}));
    }

    void background_work_waits_behind_what_came_later_and_can_be_cancelled() {
        Inbox inbox;
        Gate gate;
        std::vector<int> order;
        Workbench bench([&](std::function<void()> closure) { inbox.put(std::move(closure)); });
        bench.post("", "gate", [&](Engine&, const CancelToken&, const Progress&) {
            gate.wait();
            return std::function<void()>();
        });
        const auto put = [&](int what, engine::Priority priority) {
            return bench.post(
                "", "job",
                [&order, what](Engine&, const CancelToken&, const Progress&) {
                    order.push_back(what);
                    return std::function<void()>();
                },
                priority);
        };
        put(1, engine::Priority::background);
        const auto unwanted = put(2, engine::Priority::background);
        put(3, engine::Priority::normal);
        put(4, engine::Priority::normal);
        bench.cancel(unwanted);
        gate.release();
        QTRY_VERIFY(bench.jobs().empty());
        QCOMPARE(order, (std::vector<int>{3, 4, 1}));
    }

    void progress_is_seen_while_it_works() {
        Inbox inbox;
        Gate gate;
        Workbench bench([&](std::function<void()> closure) { inbox.put(std::move(closure)); });
        bench.post("", "long work", [&](Engine&, const CancelToken&, const Progress& progress) {
            progress(0.25, "layer 3 of 12");
            gate.wait();
            return std::function<void()>();
        });
        QTRY_VERIFY(gate.entered.load());
        const auto jobs = bench.jobs();
        QCOMPARE(jobs.size(), std::size_t{1});
        QCOMPARE(jobs[0].label, std::string("long work"));
        QCOMPARE(jobs[0].doing, std::string("layer 3 of 12"));
        QCOMPARE(jobs[0].share, 0.25);
        gate.release();
    }

    void closing_cancels_what_runs() {
        std::atomic<bool> saw = false;
        std::atomic<bool> started = false;
        {
            Workbench bench([](const std::function<void()>&) {});
            bench.post("", "endless", [&](Engine&, const CancelToken& cancel, const Progress&) {
                started = true;
                while (!cancel.cancelled())
                    QThread::msleep(1);
                saw = true;
                return std::function<void()>();
            });
            QTRY_VERIFY(started.load());
        }
        QVERIFY(saw.load());
    }
};

QTEST_GUILESS_MAIN(TestWorkbench)
#include "test_workbench.moc"
