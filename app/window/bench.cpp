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
    emit cancelled();
}

void Bench::cancel_all() {
    workbench_->cancel_all();
    emit cancelled();
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
            emit model_changed();
            post(
                this, "self-check", "self-check",
                [model = model_](engine::Engine& engine, const CancelToken& cancel,
                                 const Progress& progress) {
                    return engine.self_check(*model, cancel, progress);
                },
                [this](Result<engine::SelfCheck> check) {
                    if (check)
                        emit checked(*check);
                    else
                        emit check_failed(check.error());
                });
        });
}

} // namespace vitrine::window
