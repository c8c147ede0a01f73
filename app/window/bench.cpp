#include "app/window/bench.h"

#include <QMetaObject>

namespace vitrine::window {

Bench::Bench(QObject* parent) : QObject(parent) {
    workbench_ = std::make_unique<engine::Workbench>([this](std::function<void()> closure) {
        QMetaObject::invokeMethod(this, std::move(closure), Qt::QueuedConnection);
    });
    workbench_->on_change([this] { emit jobs_changed(); });
}

Bench::~Bench() { workbench_.reset(); }

void Bench::cancel(engine::JobId id) {
    workbench_->cancel(id);
    emit cancelled(id);
}

void Bench::cancel_all() {
    workbench_->cancel_all();
    emit cancelled(0);
}

void Bench::open_model(const engine::ModelRequest& request) {
    post(
        this, "model", "open model " + request.name,
        [request](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.open_model(request, cancel, progress);
        },
        [this, request](Result<std::shared_ptr<engine::OpenModel>> opened) {
            if (!opened) {
                emit model_refused(request, opened.error());
                return;
            }
            model_ = std::move(*opened);
            check_.reset();
            emit model_changed();
            check_model(false);
        });
}

void Bench::check_model(bool again) {
    if (!model_) return;
    emit checking();
    check_job_ = post(
        this, "self-check", "self-check",
        [model = model_, again](engine::Engine& engine, const CancelToken& cancel, const Progress& progress) {
            return engine.self_check(*model, cancel, progress, again);
        },
        [this, model = model_](const Result<engine::SelfCheck>& check) {
            if (model != model_) return;
            if (check) {
                check_ = *check;
                emit checked(*check);
            } else {
                emit check_failed(check.error());
            }
        },
        engine::Priority::background);
}

void Bench::cancel_check() {
    workbench_->cancel(check_job_);
    emit check_failed(Error{Code::cancelled, "The self-check was cancelled."});
}

void Bench::accept_check() {
    if (!model_ || !check_ || check_->passed) return;
    post(
        this, "accept-check", "accept the self-check",
        [model = model_, check = *check_](engine::Engine& engine, const CancelToken&, const Progress&) {
            return engine.accept_check(*model, check);
        },
        [this, model = model_](const Result<engine::SelfCheck>& check) {
            if (model != model_) return;
            if (check) {
                check_ = *check;
                emit checked(*check);
                emit check_accepted();
            } else {
                emit check_failed(check.error());
            }
        });
}

} // namespace vitrine::window
