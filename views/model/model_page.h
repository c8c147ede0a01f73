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
    enum class Check {
        running, ///< under way; it can be cancelled
        good,
        unknown, ///< it could not be made
        outside, ///< outside the band, and not accepted yet
        accepted,
    };
    /// The self-check's verdict in one sentence.
    void show_check(const QString& sentence, Check state);

signals:
    void check_wanted();
    void cancel_wanted();
    void accept_wanted();

private:
    void redraw();

    Desk& desk_;
    std::vector<engine::ResultValue> facts_;
    QString command_;
    Json provenance_;
    Check state_ = Check::good;
    QString sentence_;
    QLabel* check_;
    QPushButton* again_;
    QPushButton* accept_;
    FigureScroll* scroll_;
};

} // namespace vitrine::views
