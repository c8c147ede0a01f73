#pragma once
#include <QStringList>
#include <QWidget>
#include <vector>

#include "views/shared/desk.h"

class QLabel;

namespace vitrine::views {

/// The circuit so far: its members, most important first, each of which a click selects or takes out, and how
/// much of the behaviour they carry.
class CircuitBar : public QWidget {
    Q_OBJECT

public:
    explicit CircuitBar(Desk& desk, QWidget* parent = nullptr);

    /// `faithfulness`: of the first 1, 2, … members; fewer than there are: not measured yet. `by_hand`: they
    /// are not simply the strongest.
    void show_circuit(const QStringList& members, std::vector<double> faithfulness, bool by_hand);
    /// What stands there, without its links.
    QString words() const;

signals:
    void remove_wanted(const QString& member);
    void strongest_wanted();

private:
    void refresh();
    void follow_link(const QString& link);

    Desk& desk_;
    QLabel* label_;
    QStringList members_;
    std::vector<double> faithfulness_;
    bool by_hand_ = false;
};

} // namespace vitrine::views
