export function mount(element, props) { element.textContent = props.title; }
