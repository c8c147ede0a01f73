#pragma once
// The engine on its thread, seen from the window's event loop.
#include <QObject>
#include <QPointer>
#include <memory>
#include <optional>
#include <utility>

#include "core/engine/workbench.h"

namespace vitrine::window {

/// Posts jobs to the device thread and brings their results back, if their asker still lives.
class Bench : public QObject {
    Q_OBJECT

public:
    explicit Bench(QObject* parent = nullptr);
    ~Bench() override;

    /// `work(engine, cancel, progress)` runs on the device thread, `then(result)` on this one. A newer job
    /// with the same tag replaces this one; an empty tag replaces nothing. A background job that gave way is
    /// called again, so `work` must not use up what it holds.
    template <typename Work, typename Then>
    engine::JobId post(QObject* asker, const std::string& tag, const std::string& label, Work work, Then then,
                       engine::Priority priority = engine::Priority::normal) {
        return workbench_->post(
            tag, label,
            [guard = QPointer<QObject>(asker), work = std::move(work),
             then = std::move(then)](engine::Engine& engine, const CancelToken& cancel,
                                     const Progress& progress) mutable -> std::function<void()> {
                using Answer = decltype(work(engine, cancel, progress));
                auto answer = std::make_shared<Answer>(work(engine, cancel, progress));
                // `then` stays: a job that gave way is called again.
                return [guard, answer, then]() mutable {
                    if (guard) then(std::move(*answer));
                };
            },
            priority);
    }

    std::vector<engine::JobStatus> jobs() const { return workbench_->jobs(); }
    void cancel(engine::JobId id);
    void cancel_all();

    /// The model that runs are made on; nullptr before the first is open.
    const std::shared_ptr<engine::OpenModel>& model() const { return model_; }
    void open_model(const engine::ModelRequest& request);
    /// Compares the device with the reference; after a model opens this happens by itself, and what an
    /// earlier start has measured is taken as it is unless `again`.
    void check_model(bool again);
    void cancel_check();
    /// The user goes on with a device outside the band.
    void accept_check();
    /// The last verdict on the open model; none before it is there.
    const std::optional<engine::SelfCheck>& check() const { return check_; }

signals:
    void jobs_changed();
    void cancelled(vitrine::engine::JobId id); ///< the user stopped it; 0: everything
    void model_changed();
    void model_refused(const engine::ModelRequest& request, const Error& error);
    void checking();
    void checked(const engine::SelfCheck& check);
    void check_failed(const Error& error);
    void check_accepted(); ///< and recorded, where a session is open

private:
    std::unique_ptr<engine::Workbench> workbench_;
    std::shared_ptr<engine::OpenModel> model_;
    std::optional<engine::SelfCheck> check_;
    engine::JobId check_job_ = 0;
};

} // namespace vitrine::window
