#pragma once
#include <QTimer>
#include <QWidget>
#include <optional>

#include "app/window/bench.h"
#include "views/analyses/analysis_form.h"
#include "views/shared/elided_label.h"
#include "views/shared/empty_state.h"
#include "views/shared/figure_scroll.h"

class QPushButton;
class QStackedWidget;

namespace vitrine::window {

/// What emerges over a training: the analysis `emergence` on a folder of checkpoints, which need not be the
/// open model's: its own training if it has one, else the one that the program ships, else what is chosen.
class TrainingPage : public QWidget {
    Q_OBJECT

public:
    TrainingPage(Bench& bench, views::Desk& desk, QWidget* parent = nullptr);

    void set_manifests(const Json& manifests);
    void use_folder(const QString& folder);
    const QString& folder() const { return folder_; }
    /// `record`: as a step of the session.
    void run(bool record);
    /// What is shown becomes a step, if it is none yet: it is about to be exported.
    void record_shown();
    void set_values(const Json& values);
    views::FigureCanvas* canvas() { return scroll_->canvas(); }
    bool waiting() const { return isVisible() && soon_.isActive(); }

    Json state() const;
    void restore(const Json& state);

signals:
    void finished();
    void recorded();
    void state_changed();

protected:
    void showEvent(QShowEvent* event) override;

private:
    void choose_folder();
    void follow_model();
    void stopped(engine::JobId id);
    void redraw();

    Bench& bench_;
    views::Desk& desk_;
    QString folder_;
    bool chosen_ = false; ///< by the user: the model that is opened does not change it
    bool known_ = false;  ///< the manifest is there
    Json pending_;        ///< values that came before it
    QString shown_;       ///< what the picture shows, or what is being computed
    std::optional<engine::AnalysisRecord> record_;
    QString command_;
    engine::JobId job_ = 0; ///< that the page waits for; 0: none
    bool again_ = false;    ///< what the button of `empty_` means
    QTimer soon_;

    views::ElidedLabel* where_;
    views::AnalysisForm* form_;
    QPushButton* run_;
    QPushButton* export_;
    QStackedWidget* place_;
    views::FigureScroll* scroll_;
    views::EmptyState* empty_;
};

} // namespace vitrine::window
