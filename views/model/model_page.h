#pragma once
#include <QWidget>
#include <vector>

#include "views/shared/empty_state.h"
#include "views/shared/figure_scroll.h"

class QLabel;
class QPushButton;
class QStackedWidget;

namespace vitrine::views {

/// The open model: what it is, its self-check, its weights and their memory.
class ModelPage : public QWidget {
    Q_OBJECT

public:
    explicit ModelPage(Desk& desk, QWidget* parent = nullptr);

    /// The facts as tables; shown one under another.
    void show_facts(std::vector<engine::ResultValue> facts, const QString& command, const Json& provenance);
    /// The self-check's verdict in one sentence; `running`: it is under way and can be cancelled.
    void show_check(const QString& sentence, bool good, bool running);

signals:
    void check_wanted();
    void cancel_wanted();

private:
    void redraw();

    Desk& desk_;
    std::vector<engine::ResultValue> facts_;
    QString command_;
    Json provenance_;
    bool good_ = true;
    QString sentence_;
    QLabel* check_;
    QPushButton* again_;
    bool running_ = false;
    FigureScroll* scroll_;
};

} // namespace vitrine::views
