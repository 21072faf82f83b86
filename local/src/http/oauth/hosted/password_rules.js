for (const list of document.querySelectorAll('[data-rules]')) {
  const field = document.getElementById(list.dataset.rules);
  const update = () => {
    for (const rule of list.children) {
      rule.classList.toggle('met', new RegExp(rule.dataset.pattern, 'su').test(field.value));
    }
  };
  field.addEventListener('input', update);
  update();
}
